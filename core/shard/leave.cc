#include "core/shard/leave.h"

#include <utility>

#include "core/shard/apply_dead.h"
#include "core/shard/broadcast.h"
#include "core/shard/hosting.h"
#include "core/shard/route.h"
#include "core/shard/serf_turn.h"

namespace starling {

namespace {

// The other lanes take part in what follows from it: who may join, who has left.
void set_stage(Node& node, Hosted& member, LeaveStage stage) {
  member.leave = stage;
  if (node.alone()) return;
  post_all(node, {.kind = MailKind::leaving,
                  .hosted = member.id,
                  .number = static_cast<std::uint64_t>(stage),
                  .token = member.generation});
}

void pause_before_left(Node& node, Instant now, Hosted& member) {
  set_stage(node, member, LeaveStage::propagate);
  node.wheel.arm(node.leave_timer(member), now + node.options.serf.leave_propagate_delay);
}

// A stage ends when its broadcast was sent out, which the ticket tells, or after the broadcast
// time-out. When more members leave at once than there are tickets, only the time tells.
void wait_for(Node& node, Instant now, Hosted& member, Ticket ticket) {
  if (ticket != 0) return arm_wait(node, now, ticket);
  node.wheel.arm(node.leave_timer(member), now + node.options.serf.broadcast_timeout);
}

// Stamps a leave intent, believes it and sends it round, if there is anybody.
void announce_leave(Node& node, Instant now, const Hosted& member, Ticket ticket) {
  const LeaveIntent intent{
      .time = node.member_time(), .node = node.hosted.name(member), .prune = false};
  node.member_clock.increment();
  apply_leave_intent(node, now, intent);
  if (!node.anybody_else()) return;
  std::array<std::byte, 1536> room;
  Writer out(room);
  encode(intent, out);
  CHECK(out.ok());
  broadcast_serf(node, SerfQueue::intents, out.written(), ticket);
}

void leave_memberlist(Node& node, Instant now, Hosted& member) {
  set_stage(node, member, LeaveStage::dead);
  member.swim_left = true;
  const std::string_view name = node.hosted.name(member);
  const bool heard = node.anybody_else();
  // Gossip misses a member of a small cluster once in a hundred times, and whom the intent missed
  // would take us for failed. A second one, newer than the first, makes its own way together with
  // the dead message.
  announce_leave(node, now, member, 0);
  const Ticket ticket = heard ? node.waiters.add(Waiters::Kind::leave_dead, 0, member.id) : 0;
  apply_dead(node, now,
             {.incarnation = node.members.incarnation(member.slot), .node = name, .from = name},
             ticket);
  if (!heard) return pause_before_left(node, now, member);
  wait_for(node, now, member, ticket);
}

bool all_left(Node& node) {
  bool all = true;
  node.hosted.for_each([&](const Hosted& member) { all &= member.leave == LeaveStage::left; });
  return all;
}

}  // namespace

void arm_wait(Node& node, Instant now, Ticket ticket) {
  node.wheel.arm(node.waiter_timer(Waiters::place(ticket)),
                 now + node.options.serf.broadcast_timeout);
}

void begin_leave(Node& node, Instant now, Hosted& member, std::uint64_t token) {
  if (member.leave == LeaveStage::left) return node.report.done(now, token, CommandResult::ok);
  if (member.leave != LeaveStage::none) {
    return node.report.done(now, token, CommandResult::leave_in_progress);
  }
  set_stage(node, member, LeaveStage::intent);
  member.leave_token = token;
  if (!node.anybody_else()) {
    announce_leave(node, now, member, 0);
    return leave_memberlist(node, now, member);
  }
  const Ticket ticket = node.waiters.add(Waiters::Kind::leave_intent, 0, member.id);
  announce_leave(node, now, member, ticket);
  wait_for(node, now, member, ticket);
}

void leave_all(Node& node, Instant now, std::uint64_t token) {
  if (all_left(node)) return node.report.done(now, token, CommandResult::ok);
  if (!node.any_alive_itself()) {
    return node.report.done(now, token, CommandResult::leave_in_progress);
  }
  node.leave_token = token;
  node.hosted.for_each([&](Hosted& member) {
    if (member.leave != LeaveStage::none) return;
    if (node.at_home(member)) return begin_leave(node, now, member, 0);
    post(node, node.home(member), {.kind = MailKind::leave_wanted, .hosted = member.id});
  });
}

void member_has_left(Node& node, Instant now) {
  if (node.leave_token == 0 || !all_left(node)) return;
  node.report.done(now, std::exchange(node.leave_token, 0), CommandResult::ok);
}

void leave_due(Node& node, Instant now, Hosted& member) {
  if (member.leave == LeaveStage::intent) return leave_memberlist(node, now, member);
  if (member.leave == LeaveStage::dead) return pause_before_left(node, now, member);
  set_stage(node, member, LeaveStage::left);
  node.report.done(now, std::exchange(member.leave_token, 0), CommandResult::ok);
  member_has_left(node, now);
  if (member.remove_when_left) abandon(node, member);
}

void end_wait(Node& node, Instant now, const Waiters::Waiter& waiter, bool finished) {
  switch (waiter.kind) {
    case Waiters::Kind::leave_intent:
    case Waiters::Kind::leave_dead: {
      Hosted& member = node.hosted.at(to_number(waiter.hosted));
      if (!member.used) return;  // abandoned meanwhile
      if (member.leave == LeaveStage::intent) return leave_memberlist(node, now, member);
      if (member.leave == LeaveStage::dead) return pause_before_left(node, now, member);
      return;
    }
    case Waiters::Kind::force_leave:
    case Waiters::Kind::set_meta:
      return node.report.done(now, waiter.token,
                              finished ? CommandResult::ok : CommandResult::broadcast_timeout);
  }
}

void wait_due(Node& node, Instant now, std::uint32_t place) {
  const std::optional<Waiters::Waiter> waiter = node.waiters.take_place(place);
  if (waiter) end_wait(node, now, *waiter, false);
}

}  // namespace starling
