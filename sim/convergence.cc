#include "sim/convergence.h"

namespace starling::sim {

namespace {
bool stays(const World& world, NodeId node) {
  return world.running(node) && !world.leaving(node);
}
}  // namespace

std::optional<std::string> disagreement(const World& world) {
  const SerfChecker& serf = world.checkers().serf();
  for (const NodeId observer : world.all_nodes()) {
    if (!stays(world, observer)) continue;
    for (const NodeId subject : world.all_nodes()) {
      const MemberRow& row = serf.row(observer, subject);
      const bool shown_there =
          row.status == MemberStatus::alive || row.status == MemberStatus::leaving;
      const std::string who = name_of(observer) + " about " + name_of(subject) + ": ";
      if (!stays(world, subject)) {
        if (shown_there) return who + "shown as there, but it is gone";
        continue;
      }
      if (row.status != MemberStatus::alive) return who + "not shown as alive";
      if (row.meta != serf.meta(subject)) return who + "old metadata";
    }
  }
  return std::nullopt;
}

bool settled(const World& world) {
  for (const NodeId observer : world.all_nodes()) {
    if (stays(world, observer) && world.checkers().swim().suspects(observer) > 0) return false;
  }
  return !disagreement(world).has_value();
}

bool all_show(const World& world, NodeId subject, MemberStatus status) {
  for (const NodeId observer : world.all_nodes()) {
    if (observer == subject || !stays(world, observer)) continue;
    if (world.checkers().serf().row(observer, subject).status != status) return false;
  }
  return true;
}

bool all_gone(const World& world, NodeId subject) {
  for (const NodeId observer : world.all_nodes()) {
    if (observer == subject || !stays(world, observer)) continue;
    const MemberStatus status = world.checkers().serf().row(observer, subject).status;
    if (status == MemberStatus::alive || status == MemberStatus::leaving) return false;
  }
  return true;
}

}  // namespace starling::sim
