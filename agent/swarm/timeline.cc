#include "agent/swarm/timeline.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace starling::agent::swarm {
namespace {

// Engines report five times a second, so rates are taken between their reports, not between ours,
// and over several of them.
constexpr Duration rate_interval = std::chrono::milliseconds(900);

Duration from_timeval(const timeval& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

}  // namespace

ProcessUsage process_usage() {
  ProcessUsage usage;
  rusage used{};
  if (::getrusage(RUSAGE_SELF, &used) == 0) {
    usage.processor = from_timeval(used.ru_utime) + from_timeval(used.ru_stime);
  }
  std::ifstream file("/proc/self/statm");
  std::uint64_t whole = 0;
  std::uint64_t resident = 0;
  if (file >> whole >> resident) {
    usage.resident_bytes = resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  }
  return usage;
}

const Sample& Timeline::take(Instant now, std::span<const Snapshot> engines,
                             const ProcessUsage& usage) {
  if (!begun_) begin_ = next_ = now;
  Sample sample;
  sample.at = now - begin_;
  sample.resident_bytes = usage.resident_bytes;
  Totals totals{.processor = usage.processor, .at = now};
  Duration reports_age{};
  std::uint64_t known = 0;
  std::uint32_t running = 0;
  for (const Snapshot& engine : engines) {
    const Counters& counters = engine.stats.counters;
    totals.packets += counters.packets_out;
    totals.bytes += counters.bytes_out;
    totals.probes += counters.pings_sent;
    sample.failures += engine.sightings.failed;
    sample.false_failures += engine.sightings.false_failures;
    sample.refutations += counters.refutations;
    sample.packets_lost += counters.packets_not_sent + counters.packets_dropped;
    if (engine.ended) continue;
    const std::uint32_t alive = engine.stats.members_alive;
    sample.known_min = running == 0 ? alive : std::min(sample.known_min, alive);
    sample.known_max = std::max(sample.known_max, alive);
    known += alive;
    ++running;
    reports_age += now - engine.at;
    sample.queued += engine.stats.membership_queue + engine.stats.intent_queue;
    sample.suspicions += engine.stats.suspicions;
  }
  if (running > 0) sample.known_mean = static_cast<double>(known) / running;
  if (running > 0) totals.reports_at = now - reports_age / running;

  const Duration passed = now - before_.at;
  if (begun_ && passed < rate_interval) {
    sample.packets = newest_.packets;
    sample.bytes = newest_.bytes;
    sample.probes = newest_.probes;
    sample.processors = newest_.processors;
  } else {
    if (begun_) {
      const double seconds = std::chrono::duration<double>(passed).count();
      const double reported =
          std::chrono::duration<double>(totals.reports_at - before_.reports_at).count();
      const auto rate = [&](std::uint64_t after, std::uint64_t before) {
        return reported > 0 ? static_cast<double>(after - std::min(after, before)) / reported : 0;
      };
      sample.packets = rate(totals.packets, before_.packets);
      sample.bytes = rate(totals.bytes, before_.bytes);
      sample.probes = rate(totals.probes, before_.probes);
      sample.processors =
          std::chrono::duration<double>(totals.processor - before_.processor).count() / seconds;
    }
    before_ = totals;
  }
  begun_ = true;
  newest_ = sample;
  if (now >= next_) keep();
  return newest_;
}

void Timeline::keep() {
  if (samples_.size() == samples_max) {
    for (std::size_t i = 0; i < samples_max / 2; ++i) samples_[i] = samples_[2 * i];
    samples_.resize(samples_max / 2);
    interval_ *= 2;
  }
  samples_.push_back(newest_);
  next_ = begin_ + newest_.at + interval_;
}

}  // namespace starling::agent::swarm
