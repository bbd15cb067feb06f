#include "sim/report.h"

namespace starling::sim {

namespace {
constexpr std::array<std::string_view, count_kinds> names = {
    "datagrams_sent",
    "datagrams_delivered",
    "datagrams_lost",
    "datagrams_duplicated",
    "datagrams_reordered",
    "datagrams_corrupted",
    "one_way_drops",
    "partition_drops",
    "streams_opened",
    "streams_refused",
    "streams_stalled",
    "streams_reset",
    "streams_slowed",
    "partitions",
    "crashes",
    "power_losses",
    "restarts",
    "pauses",
    "leaves",
    "forced_leaves",
    "probes_failed",
    "indirect_probes",
    "stream_pings_acked",
    "suspicions",
    "confirmations",
    "suspicions_timed_out",
    "refutations",
    "deaths",
    "reaps",
    "push_pulls",
    "reconnects",
    "member_joins",
    "member_leaves",
    "member_failures",
    "member_updates",
    "member_reaps",
    "user_events",
    "queries_asked",
    "queries_heard",
    "query_acks",
    "query_responses",
    "answers_relayed",
    "quiet_hearers_meant",
    "quiet_hearers",
    "answers_refused",
    "health_changes",
    "checks",
};
}  // namespace

std::string_view to_text(Count count) {
  return names[static_cast<std::size_t>(count)];
}

void Report::merge(const Report& other) {
  for (std::size_t i = 0; i < count_kinds; ++i) counts_[i] += other.counts_[i];
}

double Report::heard_share() const {
  const std::uint64_t meant = (*this)[Count::quiet_hearers_meant];
  if (meant == 0) return 1;
  return static_cast<double>((*this)[Count::quiet_hearers]) / static_cast<double>(meant);
}

std::vector<Count> Report::never_seen() const {
  std::vector<Count> missing;
  for (std::size_t i = 0; i < count_kinds; ++i) {
    if (counts_[i] == 0) missing.push_back(static_cast<Count>(i));
  }
  return missing;
}

std::string Report::to_text() const {
  std::string text;
  for (std::size_t i = 0; i < count_kinds; ++i) {
    std::string line(names[i]);
    line.resize(24, ' ');
    text += line + std::to_string(counts_[i]) + "\n";
  }
  return text;
}

}  // namespace starling::sim
