// The record of a run: a 64-bit hash of everything that happened, and readable lines on request.
//
// Every datagram sent and delivered, every stream event, every event of an engine and every fault
// goes into the hash, with its instant: two runs of one seed must end with the same hash. Lines are
// made only when there is a sink. Owned by the world; one thread.
//
//   12.345678 n003 > n007  ping n007 seq=12, alive n002 inc=3
//   12.345678 n003 x n007  lost: ack seq=9
//   12.346012 n007 * suspect-started n002 by n004 (3)
//   13.000000 -- partition 01011 13.000s..19.250s
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/shard/events.h"
#include "core/shard/streams.h"
#include "sim/network.h"
#include "sim/summary.h"

namespace starling::sim {

using TraceSink = std::function<void(std::string_view line)>;

class Trace {
 public:
  // Instants are shown relative to `start`. An empty sink: only the hash.
  Trace(Instant start, TraceSink sink, const EngineOptions& options);

  void sent(Instant now, NodeId from, const Endpoint& to, Bytes bytes, Fate fate);
  void delivered(const Datagram& datagram);
  void stream(Instant now, NodeId node, const StreamEvent& event);
  void event(Instant now, NodeId node, const Event& event);
  // A fault, a phase, a violation.
  void note(Instant now, std::string_view text);

  std::uint64_t hash() const { return hash_; }
  bool printing() const { return static_cast<bool>(sink_); }

 private:
  void mix(Bytes bytes);
  void mix(Instant now, NodeId node, std::uint64_t what);
  std::string stamp(Instant now) const;
  void line(Instant now, std::string_view text) const;

  Instant start_;
  TraceSink sink_;
  std::unique_ptr<Summary> summary_;
  std::uint64_t hash_ = 0;
};

}  // namespace starling::sim
