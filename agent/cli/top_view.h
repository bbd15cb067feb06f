// A cluster and its engine as `top` shows them: what two answers of `stats` say, one after the
// other.
//
// Pure functions of those answers; numbers that an agent does not give count as zero. Rates are of
// the time between the two.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/durations.h"
#include "agent/rpc_messages.h"

namespace starling::agent::cli {

struct TopFigures {
  std::string node;
  std::uint64_t members = 0, alive = 0, leaving = 0, failed = 0, left = 0;
  std::uint64_t hosted = 0;
  std::int64_t health = 0;
  std::uint64_t membership_queue = 0, intent_queue = 0, event_queue = 0, query_queue = 0;
  // For how long the oldest of each queue has waited.
  std::uint64_t membership_age_ms = 0, intent_age_ms = 0, event_age_ms = 0, query_age_ms = 0;
  std::uint64_t suspicions = 0;
  Tags suspected;  // name: "2.100 s, by a, b"; not all of them, when there are many
  std::uint64_t streams = 0, rpc_clients = 0;
  std::uint64_t refutations = 0, probes_failed = 0, packets_dropped = 0;
  std::uint64_t syncs_equal = 0, syncs_converged = 0, syncs_differing = 0, syncs_failed = 0;
  // Each second since the sample before; zero in the first.
  double probes = 0, acks = 0, packets_in = 0, packets_out = 0, bytes_in = 0, bytes_out = 0;
};

// `before`: `elapsed` earlier, of the same agent.
TopFigures top_figures(const Stats& now, const std::optional<Stats>& before, Duration elapsed);

// At most `rows` lines of at most `columns` columns.
struct TopSize {
  std::size_t columns = 80, rows = 24;
};
std::vector<std::string> top_frame(const TopFigures& figures, const TopSize& size, bool coloured);
// The most important on one line.
std::string top_line(const TopFigures& figures);
nlohmann::ordered_json top_json(const TopFigures& figures);

}  // namespace starling::agent::cli
