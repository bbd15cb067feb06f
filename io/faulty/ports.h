// FaultyPorts: any ports with faults on top, for tests and for drills on a running node.
//
// Owns the ports it wraps. The lane's thread uses it; controls() may be changed by any thread and
// starts without faults.
#pragma once

#include "io/faulty/datagrams.h"
#include "io/faulty/streams.h"

namespace starling::io {

class FaultyPorts final : public Ports {
 public:
  using Options = FaultyDatagrams::Options;
  // The error says how much memory was short.
  static std::expected<std::unique_ptr<FaultyPorts>, std::string> create(
      std::unique_ptr<Ports> inner, const Options& options);

  FaultControls& controls() { return controls_; }
  const FaultyDatagrams::Done& datagrams_done() const { return datagrams_->done(); }
  const FaultyStreams::Done& streams_done() const { return streams_->done(); }

  DatagramPort& datagrams() override { return *datagrams_; }
  StreamPort& streams() override { return *streams_; }
  void wait(Duration at_most) override;
  void wake() override { inner_->wake(); }
  Endpoint bound() const override { return inner_->bound(); }
  std::string_view name() const override { return inner_->name(); }
  const PortCounters& counters() const override { return inner_->counters(); }
  void leave() override { inner_->leave(); }

 private:
  explicit FaultyPorts(std::unique_ptr<Ports> inner) : inner_(std::move(inner)) {}

  std::unique_ptr<Ports> inner_;
  FaultControls controls_;
  std::unique_ptr<FaultyDatagrams> datagrams_;
  std::unique_ptr<FaultyStreams> streams_;
};

}  // namespace starling::io
