#include "agent/cli/top_view.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include <fmt/format.h>

#include "agent/cli/colour.h"
#include "agent/swarm/figures.h"

namespace starling::agent::cli {
namespace {

using swarm::bytes_text;
using swarm::columns_of;
using swarm::fitted;
using swarm::grouped;

// One section of an answer.
class Section {
 public:
  Section(const Stats& stats, const std::string& name) {
    if (const auto at = stats.find(name); at != stats.end()) values_ = &at->second;
  }
  std::string text(const std::string& key) const {
    if (values_ == nullptr) return "";
    const auto at = values_->find(key);
    return at == values_->end() ? "" : at->second;
  }
  template <class Number = std::uint64_t>
  Number number(const std::string& key) const {
    const std::string shown = text(key);
    Number value{};
    std::from_chars(shown.data(), shown.data() + shown.size(), value);
    return value;
  }

 private:
  const Tags* values_ = nullptr;
};

std::string row(std::string_view label, std::string_view text) {
  return " " + fitted(label, 12) + " " + std::string(text);
}

std::string rate(double value) {
  return value < 10 ? fmt::format("{:.1f}/s", value)
                    : grouped(static_cast<std::uint64_t>(value)) + "/s";
}

// Red where there is something to worry about.
std::string alarm(std::uint64_t count, std::string_view what, bool coloured) {
  const std::string text = fmt::format("{} {}", grouped(count), what);
  return coloured && count > 0 ? paint(text, Colour::red) : text;
}

// How many wait, and the oldest for how long.
std::string queue(std::uint64_t waiting, std::string_view what, std::uint64_t age_ms) {
  std::string text = fmt::format("{} {}", grouped(waiting), what);
  if (waiting > 0) text += fmt::format(" ({:.1f} s)", static_cast<double>(age_ms) / 1000);
  return text;
}

}  // namespace

TopFigures top_figures(const Stats& now, const std::optional<Stats>& before, Duration elapsed) {
  const Section serf(now, "serf"), own(now, "starling");
  TopFigures top;
  top.node = Section(now, "agent").text("name");
  top.members = serf.number("members");
  top.failed = serf.number("failed");
  top.left = serf.number("left");
  top.leaving = own.number("leaving");
  top.alive = top.members - std::min(top.members, top.failed + top.left + top.leaving);
  top.health = serf.number<std::int64_t>("health_score");
  top.intent_queue = serf.number("intent_queue");
  top.event_queue = serf.number("event_queue");
  top.query_queue = serf.number("query_queue");
  top.membership_queue = own.number("membership_queue");
  top.membership_age_ms = own.number("membership_queue_age_ms");
  top.intent_age_ms = own.number("intent_queue_age_ms");
  top.event_age_ms = own.number("event_queue_age_ms");
  top.query_age_ms = own.number("query_queue_age_ms");
  top.hosted = own.number("hosted");
  top.suspicions = own.number("suspicions");
  top.streams = own.number("streams");
  top.rpc_clients = own.number("rpc_clients");
  top.refutations = own.number("refutations");
  top.probes_failed = own.number("probes_failed");
  top.packets_dropped = own.number("packets_dropped");
  top.syncs_equal = own.number("syncs_equal");
  top.syncs_converged = own.number("syncs_converged");
  top.syncs_differing = own.number("syncs_differing");
  top.syncs_failed = own.number("syncs_failed");
  if (const auto at = now.find("suspicions"); at != now.end()) top.suspected = at->second;
  if (!before || elapsed <= Duration::zero()) return top;
  const Section earlier(*before, "starling");
  const auto each_second = [&](const char* key) {
    const std::uint64_t old = earlier.number(key), fresh = own.number(key);
    // Less than before: another run of the agent.
    if (fresh < old) return 0.0;
    return static_cast<double>(fresh - old) / std::chrono::duration<double>(elapsed).count();
  };
  top.probes = each_second("pings_sent");
  top.acks = each_second("acks_received");
  top.packets_in = each_second("packets_in");
  top.packets_out = each_second("packets_out");
  top.bytes_in = each_second("bytes_in");
  top.bytes_out = each_second("bytes_out");
  return top;
}

std::vector<std::string> top_frame(const TopFigures& top, const TopSize& size, bool coloured) {
  const auto strong = [&](const std::string& text) {
    return coloured ? paint(text, Colour::bold) : text;
  };
  std::vector<std::string> lines;
  lines.push_back(fmt::format(" {}  {}", strong("starling top"), top.node));
  lines.emplace_back();
  lines.push_back(
      row("members",
          fmt::format("{} alive, {} leaving, {}, {} left", grouped(top.alive), grouped(top.leaving),
                      alarm(top.failed, "failed", coloured), grouped(top.left))));
  lines.push_back(row("hosted", grouped(top.hosted) + " by this agent"));
  lines.push_back(row("health", top.health == 0 ? "0, as it should be"
                                                : alarm(static_cast<std::uint64_t>(top.health),
                                                        "of 7 at worst", coloured)));
  lines.emplace_back();
  lines.push_back(row("probes", fmt::format("{}, acks {}, {} unanswered so far", rate(top.probes),
                                            rate(top.acks), grouped(top.probes_failed))));
  lines.push_back(
      row("packets", fmt::format("{} in, {} out, {}", rate(top.packets_in), rate(top.packets_out),
                                 alarm(top.packets_dropped, "refused", coloured))));
  lines.push_back(row("traffic", fmt::format("{}/s in, {}/s out", bytes_text(top.bytes_in),
                                             bytes_text(top.bytes_out))));
  lines.push_back(row("streams", fmt::format("{} open, {} RPC clients", grouped(top.streams),
                                             grouped(top.rpc_clients))));
  lines.emplace_back();
  lines.push_back(row(
      "queued",
      fmt::format("{}, {}, {}, {}", queue(top.membership_queue, "members", top.membership_age_ms),
                  queue(top.intent_queue, "intents", top.intent_age_ms),
                  queue(top.event_queue, "events", top.event_age_ms),
                  queue(top.query_queue, "queries", top.query_age_ms))));
  lines.push_back(row("digests", fmt::format("{} equal, {} made equal, {}, {} broken off",
                                             grouped(top.syncs_equal), grouped(top.syncs_converged),
                                             alarm(top.syncs_differing, "differing", coloured),
                                             grouped(top.syncs_failed))));
  lines.push_back(row("suspicions", fmt::format("{}, {} refuted here so far",
                                                alarm(top.suspicions, "running", coloured),
                                                grouped(top.refutations))));
  for (const auto& [name, by] : top.suspected) {
    lines.push_back(fmt::format("   {} {}", fitted(name, 24), by));
  }
  if (lines.size() > size.rows) lines.resize(size.rows);
  for (std::string& line : lines) {
    if (columns_of(line) > size.columns) line = fitted(line, size.columns);
  }
  return lines;
}

std::string top_line(const TopFigures& top) {
  std::string line = fmt::format(
      "{}: {} alive, {} leaving, {} failed, {} left, {} suspected, health {}, {:.1f} probes/s, "
      "{:.1f} "
      "packets/s "
      "in, {:.1f} out, {}/s in, {}/s out, queued {}",
      top.node, top.alive, top.leaving, top.failed, top.left, top.suspicions, top.health,
      top.probes, top.packets_in, top.packets_out, bytes_text(top.bytes_in),
      bytes_text(top.bytes_out),
      top.membership_queue + top.intent_queue + top.event_queue + top.query_queue);
  for (const auto& [name, by] : top.suspected) line += fmt::format("; suspected: {} {}", name, by);
  return line;
}

nlohmann::ordered_json top_json(const TopFigures& top) {
  return {{"node", top.node},
          {"members",
           {{"total", top.members},
            {"alive", top.alive},
            {"leaving", top.leaving},
            {"failed", top.failed},
            {"left", top.left}}},
          {"hosted", top.hosted},
          {"health", top.health},
          {"per_second",
           {{"probes", top.probes},
            {"acks", top.acks},
            {"packets_in", top.packets_in},
            {"packets_out", top.packets_out},
            {"bytes_in", top.bytes_in},
            {"bytes_out", top.bytes_out}}},
          {"queued",
           {{"membership", top.membership_queue},
            {"intents", top.intent_queue},
            {"events", top.event_queue},
            {"queries", top.query_queue}}},
          {"oldest_queued_ms",
           {{"membership", top.membership_age_ms},
            {"intents", top.intent_age_ms},
            {"events", top.event_age_ms},
            {"queries", top.query_age_ms}}},
          {"digests",
           {{"equal", top.syncs_equal},
            {"converged", top.syncs_converged},
            {"differing", top.syncs_differing},
            {"failed", top.syncs_failed}}},
          {"suspicions", top.suspicions},
          {"suspected", top.suspected},
          {"streams", top.streams},
          {"rpc_clients", top.rpc_clients},
          {"refutations", top.refutations},
          {"probes_failed", top.probes_failed},
          {"packets_dropped", top.packets_dropped}};
}

}  // namespace starling::agent::cli
