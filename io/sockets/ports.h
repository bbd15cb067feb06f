// SocketPorts: datagrams and streams by ordinary system calls, waiting by epoll.
//
// The port for places that forbid io_uring, and the yardstick for those that do not. Created by any
// thread, used by one, woken by any.
#pragma once

#include <array>

#include "io/sockets/datagrams.h"
#include "io/sockets/streams.h"

namespace starling::io {

class SocketPorts final : public Ports {
 public:
  static std::expected<std::unique_ptr<SocketPorts>, std::string> create(const PortOptions& options,
                                                                         BoundSockets sockets);

  DatagramPort& datagrams() override { return *datagrams_; }
  StreamPort& streams() override { return deliverer_; }
  void wait(Duration at_most) override;
  void wake() override;
  Endpoint bound() const override { return bound_; }
  std::string_view name() const override { return "sockets"; }
  const PortCounters& counters() const override { return counters_; }

 private:
  // The stream port as the lane sees it: asks the poller first.
  class Deliverer final : public StreamPort {
   public:
    explicit Deliverer(SocketPorts& ports) : ports_(&ports) {}
    void submit(std::span<const StreamOp> ops) override { ports_->streams_->submit(ops); }
    std::size_t deliver(Sink& sink) override { return ports_->deliver(sink); }

   private:
    SocketPorts* ports_;
  };
  // One system call's worth of events.
  static constexpr int ready_max = 64;

  SocketPorts() : deliverer_(*this) {}
  std::size_t deliver(StreamPort::Sink& sink);
  // Returns at once when `at_most` is zero. Fills ready_.
  void poll(Duration at_most);

  PortCounters counters_;
  Poller poller_;
  File wake_;
  Endpoint bound_;
  std::unique_ptr<SocketDatagrams> datagrams_;
  std::unique_ptr<SocketStreams> streams_;
  Deliverer deliverer_;
  std::array<epoll_event, ready_max> ready_{};
  int ready_count_ = 0;
  bool woken_ = false;
  bool fresh_ = false;  // ready_ is what the last wait saw
  bool precise_timeouts_ = true;
};

}  // namespace starling::io
