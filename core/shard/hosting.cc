#include "core/shard/hosting.h"

#include "core/shard/apply_alive.h"
#include "core/shard/probe_turn.h"
#include "core/shard/route.h"
#include "core/swim/rules.h"

namespace starling {

std::string_view to_text(HostProblem problem) {
  switch (problem) {
    case HostProblem::none:
      return "";
    case HostProblem::already_hosted:
      return "this member is hosted already";
    case HostProblem::no_place:
      return "no room for another hosted member";
    case HostProblem::table_full:
      return "the member table is full";
    case HostProblem::name_taken:
      return "another member is alive under this name";
  }
  return "";
}

namespace {

// Whether the table can take a member in under this name.
HostProblem look_at(const Node& node, const HostedView& member, std::optional<Slot> row) {
  if (!row) {
    return node.members.size() == node.members.capacity() ? HostProblem::table_full
                                                          : HostProblem::none;
  }
  const bool alive = node.members.listed(*row) && is_exposed(node.members.state(*row));
  const bool elsewhere = node.members.endpoint(*row) != member.advertise;
  return alive && elsewhere ? HostProblem::name_taken : HostProblem::none;
}

// Its first alive message, above whatever the cluster remembers of an earlier life.
HostProblem introduce(Node& node, Instant now, Hosted& hosted, const HostedView& member,
                      std::optional<Slot> row) {
  const bool known = row && node.members.listed(*row);
  const std::uint32_t earlier = known ? to_number(node.members.incarnation(*row)) : 0;
  const std::uint32_t restored = to_number(node.options.earlier_incarnation);
  hosted.incarnation = Incarnation{std::max(earlier, restored) + 1};
  if (known && is_exposed(node.members.state(*row))) --node.live_others;
  if (row) node.hosted.settle(hosted, *row);
  std::array<std::byte, 6> versions;
  Alive alive = own_alive(node, hosted, versions);
  alive.meta = member.meta;
  apply_alive(node, now, alive, {.bootstrap = &hosted});
  if (hosted.slot != no_slot) return HostProblem::none;
  node.hosted.remove(hosted);
  return HostProblem::table_full;
}

HostProblem settle_in(Node& node, Instant now, Hosted* hosted, const HostedView& member,
                      std::optional<Slot> row) {
  if (hosted == nullptr) return HostProblem::no_place;
  if (!node.at_home(*hosted)) return HostProblem::none;
  return introduce(node, now, *hosted, member, row);
}

std::int32_t health_bound(const Node& node) {
  return static_cast<std::int32_t>(node.options.swim.awareness_max_multiplier);
}

}  // namespace

HostProblem host(Node& node, Instant now, const HostedView& member) {
  if (node.hosted.find(member.name) != nullptr) return HostProblem::already_hosted;
  const std::optional<Slot> row = node.members.find(hash_name(member.name), member.name);
  const HostProblem problem = look_at(node, member, row);
  if (problem != HostProblem::none) return problem;
  return settle_in(node, now, node.hosted.add(member.name, member.advertise, health_bound(node)),
                   member, row);
}

HostProblem host_at(Node& node, Instant now, HostedId id, const HostedView& member) {
  const std::optional<Slot> row = node.members.find(hash_name(member.name), member.name);
  const HostProblem problem = look_at(node, member, row);
  if (problem != HostProblem::none) return problem;
  return settle_in(node, now,
                   node.hosted.add_at(id, member.name, member.advertise, health_bound(node)),
                   member, row);
}

void abandon(Node& node, Hosted& member) {
  end_probe(node, member);
  node.wheel.cancel(node.leave_timer(member));
  const Slot slot = member.slot;
  if (!node.alone()) {
    post_all(node, {.kind = MailKind::unhosted, .hosted = member.id, .number = member.generation});
  }
  node.hosted.remove(member);
  if (slot != no_slot && is_exposed(node.members.state(slot))) ++node.live_others;
}

Bytes meta_of(const Node& node, const Hosted& member) {
  return member.slot == no_slot ? Bytes{} : node.members.meta(member.slot);
}

}  // namespace starling
