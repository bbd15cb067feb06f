// MemoryPorts: one node's ports in a MemoryNetwork. Behaves as kernel ports do, without a kernel.
#pragma once

#include <condition_variable>

#include "io/memory/datagrams.h"
#include "io/memory/streams.h"

namespace starling::io {

class MemoryPorts final : public Ports {
 public:
  static std::expected<std::unique_ptr<MemoryPorts>, std::string> create(
      const PortOptions& options, std::shared_ptr<Switchboard> switchboard);
  ~MemoryPorts() override;

  DatagramPort& datagrams() override { return *datagrams_; }
  StreamPort& streams() override { return streams_; }
  void wait(Duration at_most) override;
  void wake() override;
  Endpoint bound() const override { return bound_; }
  std::string_view name() const override { return "memory"; }
  const PortCounters& counters() const override { return counters_; }

  // Takes the address in the switchboard; only while holding the lock, and once.
  void enter(const Endpoint& bound);
  // For the other ports of the network, only while holding the lock.
  MemoryStreams& memory_streams() { return streams_; }
  void arrive(const Endpoint& from, Bytes bytes);
  void notify() { changed_.notify_one(); }

 private:
  MemoryPorts(const PortOptions& options, std::shared_ptr<Switchboard> switchboard);

  std::shared_ptr<Switchboard> switchboard_;
  Endpoint bound_;
  PortCounters counters_;
  std::unique_ptr<MemoryDatagrams> datagrams_;
  MemoryStreams streams_;
  std::condition_variable changed_;
  bool woken_ = false;
};

}  // namespace starling::io
