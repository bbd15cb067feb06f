// UringPorts: datagrams and streams on one io_uring, one system call per turn under load.
//
// Opened by any thread; the first that calls anything but wake() becomes the only one. Needs Linux
// 6.1 and a system that allows io_uring.
#pragma once

#include "io/uring/datagrams.h"
#include "io/uring/streams.h"

namespace starling::io {

class UringPorts final : public Ports {
 public:
  // Takes the sockets only when it succeeds, so that another kind of port can have them else.
  static std::expected<std::unique_ptr<UringPorts>, std::string> create(const PortOptions& options,
                                                                        BoundSockets& sockets);
  ~UringPorts() override;

  DatagramPort& datagrams() override { return datagram_side_; }
  StreamPort& streams() override { return stream_side_; }
  void wait(Duration at_most) override;
  void wake() override;
  Endpoint bound() const override { return sockets_.bound; }
  std::string_view name() const override { return "io_uring"; }
  const PortCounters& counters() const override { return counters_; }
  void leave() override;

  // "ring of 256 and 8192, 512 receive buffers": what the limits allowed.
  std::string size_text() const;

 private:
  // Both take the ring's completions first.
  class DatagramSide final : public DatagramPort {
   public:
    explicit DatagramSide(UringPorts& ports) : ports_(&ports) {}
    std::size_t receive(std::span<RxPacket> burst) override;
    void release(std::span<const RxPacket> burst) override;
    std::size_t borrow(std::span<TxPacket> blanks) override;
    void send(std::span<const TxPacket> filled) override;

   private:
    UringPorts* ports_;
  };
  class StreamSide final : public StreamPort {
   public:
    explicit StreamSide(UringPorts& ports) : ports_(&ports) {}
    void submit(std::span<const StreamOp> ops) override;
    std::size_t deliver(Sink& sink) override;

   private:
    UringPorts* ports_;
  };

  UringPorts() : datagram_side_(*this), stream_side_(*this) {}
  void start();
  void arm_wake();
  // Refreshes the ring and hands each completion to its owner.
  void gather();
  void take_completions();

  PortCounters counters_;
  BoundSockets sockets_;
  File wake_;
  std::uint64_t wakes_ = 0;  // the kernel's read of wake_ ends here
  bool woken_ = false;
  bool left_ = false;
  // The buffers go after the ring that knows them, hence in this order.
  std::unique_ptr<UringDatagrams> datagrams_;
  std::unique_ptr<UringStreams> streams_;
  std::unique_ptr<Ring> ring_;
  DatagramSide datagram_side_;
  StreamSide stream_side_;
};

}  // namespace starling::io
