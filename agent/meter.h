// Reads once a second what others add up, and hands on what has come since as Serf's metrics.
//
// Serf calls its metrics for every message, probe and line. Here nothing on the way of a packet
// knows of metrics: the engine and the snapshot's writer add up counts and sums, and this is the
// difference to the last reading. Owned by the agent, control thread only.
#pragma once

#include <cstdint>
#include <string_view>

#include "agent/metrics.h"
#include "agent/snapshot/writer.h"
#include "core/shard/counters.h"

namespace starling::agent {

class Meter {
 public:
  static constexpr Duration interval = std::chrono::seconds(1);

  explicit Meter(Metrics& metrics) : metrics_(metrics) {}

  void read_engine(const starling::Stats& stats);
  void read_snapshot(const SnapshotWriter::Timings& timings);
  // This process's memory.
  void read_process();

 private:
  using Counter = std::uint64_t Counters::*;
  std::uint64_t since(const Counters& counters, Counter counter) const {
    return counters.*counter - counters_.*counter;
  }
  void count_since(const Counters& counters, std::string_view name, Counter counter);
  void read_counts(const Counters& counters);
  void read_sums(const Counters& counters);

  Metrics& metrics_;
  Counters counters_;  // at the last reading
  SnapshotWriter::Timings timings_;
  unsigned process_readings_ = 0;
  double allocated_bytes_ = 0;
};

}  // namespace starling::agent
