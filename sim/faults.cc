#include "sim/faults.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace starling::sim {

namespace {

constexpr std::array<std::string_view, fault_kinds> names = {
    "loss",     "duplicate",  "reorder",     "corrupt",      "one_way",     "partition",
    "crash",    "power_loss", "pause",       "slow_streams", "stream_loss", "leave",
    "set_meta", "user_event", "force_leave", "query"};

constexpr bool ends(FaultKind kind) {
  return kind != FaultKind::set_meta && kind != FaultKind::user_event &&
         kind != FaultKind::force_leave && kind != FaultKind::query;
}

// How many episodes of one kind a run has, at most.
constexpr std::size_t episodes_max(FaultKind kind) {
  switch (kind) {
    case FaultKind::user_event:
    case FaultKind::set_meta:
    case FaultKind::query:
      return 8;
    case FaultKind::crash:
    case FaultKind::pause:
    case FaultKind::one_way:
      return 5;
    default:
      return 3;
  }
}

double draw_amount(FaultKind kind, double draw) {
  switch (kind) {
    case FaultKind::loss:
      return 0.4 * draw;
    case FaultKind::duplicate:
    case FaultKind::reorder:
    case FaultKind::corrupt:
      return 0.3 * draw;
    case FaultKind::stream_loss:
      return 0.2 * draw;
    case FaultKind::slow_streams:
      return 500.0 + 20'000.0 * draw;
    default:
      return draw;
  }
}

// Every kind of fault makes the same draws.
Fault draw_fault(FaultKind kind, Random& random, std::size_t nodes, Duration length) {
  Fault fault;
  fault.kind = kind;
  fault.begin = random.between(Duration::zero(), length);
  const Duration lasts = random.across(std::chrono::milliseconds(50), length);
  fault.end = ends(kind) ? std::min(fault.begin + lasts, length) : fault.begin;
  fault.node = NodeId{static_cast<std::uint16_t>(random.below(nodes))};
  // Never itself: one of the nodes after it, counted round.
  fault.other = NodeId{
      static_cast<std::uint16_t>((index_of(fault.node) + 1 + random.below(nodes - 1)) % nodes)};
  fault.amount = draw_amount(kind, random.unit());
  const std::uint64_t groups = random.between(2, 3);
  const bool lonely = random.chance(0.3);
  for (std::size_t i = 0; i < nodes; ++i) {
    const auto group = static_cast<std::uint8_t>(random.below(groups));
    if (kind != FaultKind::partition) continue;
    fault.group_of_node.push_back(lonely ? (i == index_of(fault.node) ? 1 : 0) : group);
  }
  return fault;
}

}  // namespace

std::string_view to_text(FaultKind kind) {
  return names[static_cast<std::size_t>(kind)];
}

std::optional<FaultKind> fault_kind_from(std::string_view text) {
  const auto found = std::find(names.begin(), names.end(), text);
  if (found == names.end()) return std::nullopt;
  return static_cast<FaultKind>(found - names.begin());
}

std::string to_text(const Fault& fault) {
  const auto seconds = [](Duration time) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3fs", std::chrono::duration<double>(time).count());
    return std::string(text);
  };
  std::string text(to_text(fault.kind));
  switch (fault.kind) {
    case FaultKind::one_way:
    case FaultKind::force_leave:
      text += " " + name_of(fault.node) + ">" + name_of(fault.other);
      break;
    case FaultKind::partition:
      text += " ";
      for (const std::uint8_t group : fault.group_of_node) text += std::to_string(group);
      break;
    case FaultKind::loss:
    case FaultKind::duplicate:
    case FaultKind::reorder:
    case FaultKind::corrupt:
    case FaultKind::slow_streams:
    case FaultKind::stream_loss:
      text += " " + std::to_string(fault.amount);
      break;
    default:
      text += " " + name_of(fault.node);
      break;
  }
  text += " " + seconds(fault.begin);
  if (ends(fault.kind)) text += ".." + seconds(fault.end);
  return text;
}

std::vector<FaultPlan::Change> FaultPlan::changes() const {
  std::vector<Change> changes;
  for (std::uint32_t i = 0; i < faults.size(); ++i) {
    changes.push_back({faults[i].begin, i, true});
    if (ends(faults[i].kind)) changes.push_back({faults[i].end, i, false});
  }
  std::stable_sort(changes.begin(), changes.end(),
                   [](const Change& a, const Change& b) { return a.at < b.at; });
  return changes;
}

FaultPlan draw_plan(Random random, std::size_t nodes, Duration length, FaultMask without) {
  FaultPlan plan;
  for (std::size_t i = 0; i < fault_kinds; ++i) {
    const auto kind = static_cast<FaultKind>(i);
    Random own = random.fork(to_text(kind));
    const bool on = own.chance(0.55);
    const std::uint64_t episodes = own.between(1, episodes_max(kind));
    for (std::uint64_t episode = 0; episode < episodes; ++episode) {
      Fault fault = draw_fault(kind, own, nodes, length);
      if (on && !without[i]) plan.faults.push_back(std::move(fault));
    }
  }
  return plan;
}

}  // namespace starling::sim
