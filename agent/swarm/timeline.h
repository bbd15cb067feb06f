// Timeline: what a run looked like over time, in a bounded number of samples.
//
// Owned by the director. Bound: samples_max; when they are full every second one goes and the
// interval doubles.
#pragma once

#include <span>
#include <vector>

#include "agent/swarm/swarm_engine.h"

namespace starling::agent::swarm {

// Memory and processor time of this process.
struct ProcessUsage {
  std::uint64_t resident_bytes = 0;
  Duration processor{};
};
ProcessUsage process_usage();

struct Sample {
  Duration at{};  // since the run began
  // Members that an engine takes for alive: the fewest, the mean and the most of all engines.
  std::uint32_t known_min = 0, known_max = 0;
  double known_mean = 0;
  double packets = 0, bytes = 0, probes = 0;  // a second, sent by all engines together
  double processors = 0;                      // cores' worth of time
  std::uint64_t queued = 0;                   // statements that wait to be gossiped
  std::uint64_t suspicions = 0;               // that run now, over all engines
  std::uint64_t failures = 0, false_failures = 0, refutations = 0;  // so far
  std::uint64_t packets_lost = 0;  // not sent for want of room, or refused, so far
  std::uint64_t resident_bytes = 0;
};

class Timeline {
 public:
  static constexpr std::size_t samples_max = 2'000;
  static constexpr Duration first_interval = std::chrono::milliseconds(500);

  // Makes a sample of the engines at `now`, with rates since the last one; the first has none. It
  // is kept when the interval has passed. The result is always the newest picture.
  const Sample& take(Instant now, std::span<const Snapshot> engines, const ProcessUsage& usage);
  const Sample& newest() const { return newest_; }
  const std::vector<Sample>& samples() const { return samples_; }

 private:
  struct Totals {
    std::uint64_t packets = 0, bytes = 0, probes = 0;
    Duration processor{};
    Instant at{};
    Instant reports_at{};  // the engines' own, on average
  };
  void keep();

  Instant begin_{};
  bool begun_ = false;
  Totals before_;
  Sample newest_;
  Duration interval_ = first_interval;
  Instant next_{};
  std::vector<Sample> samples_;
};

}  // namespace starling::agent::swarm
