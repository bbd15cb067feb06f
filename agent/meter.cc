#include "agent/meter.h"

#include <cstdio>

#include <malloc.h>
#include <unistd.h>

namespace starling::agent {
namespace {

// The C library walks its lists of free memory to say how much is in use.
constexpr unsigned readings_between_walks = 10;

double number(std::uint64_t value) {
  return static_cast<double>(value);
}

double milliseconds(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

double resident_bytes() {
  unsigned long all = 0, resident = 0;
  std::FILE* const file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return 0;
  if (std::fscanf(file, "%lu %lu", &all, &resident) != 2) resident = 0;
  std::fclose(file);
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

}  // namespace

void Meter::count_since(const Counters& counters, std::string_view name, Counter counter) {
  const std::uint64_t more = since(counters, counter);
  metrics_.count(name, {.sum = number(more), .times = more});
}

void Meter::read_counts(const Counters& counters) {
  count_since(counters, "serf.member.flap", &Counters::member_flaps);
  count_since(counters, "serf.queries", &Counters::queries_seen);
  count_since(counters, "serf.query_acks", &Counters::query_acks);
  count_since(counters, "serf.query_responses", &Counters::query_responses);
  count_since(counters, "serf.query_duplicate_acks", &Counters::query_acks_duplicate);
  count_since(counters, "serf.query_duplicate_responses", &Counters::query_responses_duplicate);
  count_since(counters, "serf.coordinate.rejected", &Counters::coordinates_rejected);
  count_since(counters, "serf.coordinate.zero-rtt", &Counters::coordinate_zero_round_trips);
  count_since(counters, "memberlist.tcp.accept", &Counters::streams_accepted);
  count_since(counters, "memberlist.tcp.connect", &Counters::streams_dialled);
  count_since(counters, "memberlist.msg.alive", &Counters::alives_applied);
  count_since(counters, "memberlist.msg.suspect", &Counters::suspicions_started);
  count_since(counters, "memberlist.msg.dead", &Counters::deads_applied);
  count_since(counters, "memberlist.degraded.probe", &Counters::probes_slowed);
  count_since(counters, "memberlist.degraded.timeout", &Counters::suspicions_unconfirmed);
}

void Meter::read_sums(const Counters& counters) {
  const auto sum = [&](Counter total, Counter times, double unit = 1) {
    return Metrics::Sum{.sum = number(since(counters, total)) / unit,
                        .times = since(counters, times)};
  };
  constexpr double millisecond = 1e6;
  metrics_.count("memberlist.udp.sent", sum(&Counters::bytes_out, &Counters::packets_out));
  metrics_.count("memberlist.udp.received", sum(&Counters::bytes_in, &Counters::packets_in));
  metrics_.count("memberlist.tcp.sent",
                 sum(&Counters::stream_bytes_out, &Counters::stream_messages_out));
  metrics_.sample("serf.msgs.received",
                  sum(&Counters::serf_message_bytes_in, &Counters::serf_messages_in));
  metrics_.sample("serf.msgs.sent",
                  sum(&Counters::serf_message_bytes_out, &Counters::serf_messages_out));
  metrics_.sample(
      "serf.coordinate.adjustment-ms",
      sum(&Counters::coordinate_moved_nanoseconds, &Counters::coordinates_updated, millisecond));
  metrics_.sample("memberlist.probeNode",
                  sum(&Counters::probe_nanoseconds, &Counters::probes_ended, millisecond));
  metrics_.sample("memberlist.pushPullNode",
                  sum(&Counters::push_pull_nanoseconds, &Counters::push_pulls_ended, millisecond));
}

void Meter::read_engine(const starling::Stats& stats) {
  metrics_.sample("serf.queue.Intent", number(stats.intent_queue));
  metrics_.sample("serf.queue.Event", number(stats.event_queue));
  metrics_.sample("serf.queue.Query", number(stats.query_queue));
  metrics_.gauge("memberlist.health.score", number(stats.health_score));
  read_counts(stats.counters);
  read_sums(stats.counters);
  counters_ = stats.counters;
}

void Meter::read_snapshot(const SnapshotWriter::Timings& timings) {
  metrics_.sample("serf.snapshot.appendLine",
                  {.sum = milliseconds(timings.appending - timings_.appending),
                   .times = timings.lines - timings_.lines});
  metrics_.sample("serf.snapshot.compact",
                  {.sum = milliseconds(timings.compacting - timings_.compacting),
                   .times = timings.compactions - timings_.compactions});
  timings_ = timings;
}

void Meter::read_process() {
  if (process_readings_++ % readings_between_walks == 0) {
    allocated_bytes_ = number(mallinfo2().uordblks);
  }
  metrics_.gauge("runtime.alloc_bytes", allocated_bytes_);
  metrics_.gauge("runtime.sys_bytes", resident_bytes());
}

}  // namespace starling::agent
