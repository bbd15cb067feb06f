// DpdkPorts: datagrams by DPDK, streams by the kernel.
//
// The kernel's ports are opened first: they hold the address, the TCP listener, and a UDP socket
// that hears nothing (mute()). Waiting is adaptive, because DPDK has to be asked: for a moment
// after the last packet it asks without a pause, then in naps that grow while nothing comes; a
// stream or wake() ends a nap. An idle node costs a per cent or two of a core.
//
// Opened by any thread, used by one, woken by any.
#pragma once

#include <atomic>

#include "io/dpdk/datagrams.h"

namespace starling::io {

class DpdkPorts final : public Ports {
 public:
  struct Devices {
    DeviceNumber main{};
    std::optional<DeviceNumber> tap;  // the exception path
  };
  // `kernel`: ports bound where datagrams are to come from, whose own datagrams are muted.
  static std::expected<std::unique_ptr<DpdkPorts>, std::string> create(
      const PortOptions& options, const Devices& devices, std::unique_ptr<Ports> kernel);
  // One of several lanes that share a device.
  static std::expected<std::unique_ptr<DpdkPorts>, std::string> create(
      const PortOptions& options, std::shared_ptr<SharedDevice> shared,
      std::unique_ptr<Ports> kernel);
  ~DpdkPorts() override;

  DatagramPort& datagrams() override { return datagram_side_; }
  StreamPort& streams() override { return stream_side_; }
  void wait(Duration at_most) override;
  void wake() override;
  Endpoint bound() const override { return kernel_->bound(); }
  std::string_view name() const override { return "dpdk"; }
  const PortCounters& counters() const override { return counters_; }
  void leave() override;

  // What was taken, for the start-up line.
  std::string text() const { return datagrams_->text(); }

 private:
  // Makes the lane's thread known to DPDK, once, by its first call.
  class DatagramSide final : public DatagramPort {
   public:
    explicit DatagramSide(DpdkPorts& ports) : ports_(&ports) {}
    std::size_t receive(std::span<RxPacket> burst) override;
    void release(std::span<const RxPacket> burst) override;
    std::size_t borrow(std::span<TxPacket> blanks) override;
    void send(std::span<const TxPacket> filled) override;

   private:
    DpdkPorts* ports_;
  };
  // Takes over the kernel's counts of streams.
  class StreamSide final : public StreamPort {
   public:
    explicit StreamSide(DpdkPorts& ports) : ports_(&ports) {}
    void submit(std::span<const StreamOp> ops) override;
    std::size_t deliver(Sink& sink) override;

   private:
    DpdkPorts* ports_;
  };

  explicit DpdkPorts(std::unique_ptr<Ports> kernel);
  void start();
  void copy_stream_counts();

  PortCounters counters_;
  std::unique_ptr<Ports> kernel_;
  std::unique_ptr<DpdkDatagrams> datagrams_;
  DatagramSide datagram_side_;
  StreamSide stream_side_;
  std::atomic<bool> woken_ = false;
  bool started_ = false;
  bool registered_ = false;  // this thread got its place in DPDK from us
  Duration nap_{};
  Instant busy_at_{};
};

}  // namespace starling::io
