// What a run exercised: counts of faults injected and of protocol behaviour seen.
//
// A campaign adds the reports of its seeds and fails when something that it was meant to exercise
// was never seen: a simulator that injects nothing finds nothing. Values; one thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace starling::sim {

enum class Count : std::uint8_t {
  datagrams_sent,
  datagrams_delivered,
  datagrams_lost,
  datagrams_duplicated,
  datagrams_reordered,
  datagrams_corrupted,
  one_way_drops,
  partition_drops,
  streams_opened,
  streams_refused,
  streams_stalled,
  streams_reset,
  streams_slowed,
  partitions,
  crashes,
  power_losses,
  restarts,
  pauses,
  leaves,
  forced_leaves,
  probes_failed,
  indirect_probes,
  stream_pings_acked,
  suspicions,
  confirmations,
  suspicions_timed_out,
  refutations,
  deaths,
  reaps,
  push_pulls,
  reconnects,
  member_joins,
  member_leaves,
  member_failures,
  member_updates,
  member_reaps,
  user_events,
  queries_asked,
  queries_heard,
  query_acks,
  query_responses,
  answers_relayed,
  quiet_hearers_meant,  // of the queries in the quiet: nodes that should hear them, and that did
  quiet_hearers,
  answers_refused,  // by the engine, of an owner who is late, says it twice or too much
  health_changes,
  checks,
};
inline constexpr std::size_t count_kinds = static_cast<std::size_t>(Count::checks) + 1;
std::string_view to_text(Count count);

class Report {
 public:
  void add(Count count, std::uint64_t by = 1) { counts_[static_cast<std::size_t>(count)] += by; }
  std::uint64_t operator[](Count count) const { return counts_[static_cast<std::size_t>(count)]; }
  void merge(const Report& other);
  // Of the queries in the quiet, the share of nodes that heard them; 1 without such queries.
  double heard_share() const;
  // Every kind that stayed at zero.
  std::vector<Count> never_seen() const;
  // "name value" lines, in the order of the enumeration.
  std::string to_text() const;

 private:
  std::array<std::uint64_t, count_kinds> counts_{};
};

}  // namespace starling::sim
