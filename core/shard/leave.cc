#include "core/shard/leave.h"

#include "core/shard/apply_dead.h"
#include "core/shard/broadcast.h"
#include "core/shard/serf_turn.h"

namespace starling {

namespace {

void pause_before_left(Node& node, Instant now) {
  node.leave = LeaveStage::propagate;
  node.wheel.arm(timer(FixedTimer::leave), now + node.options.serf.leave_propagate_delay);
}

void leave_memberlist(Node& node, Instant now) {
  node.leave = LeaveStage::dead;
  node.swim_left = true;
  const Ticket ticket = node.live_others > 0 ? node.waiters.add(Waiters::Kind::leave_dead, 0) : 0;
  apply_dead(node, now,
             {.incarnation = node.members.incarnation(node.self),
              .node = node.self_name(),
              .from = node.self_name()},
             ticket);
  if (ticket == 0) return pause_before_left(node, now);
  arm_wait(node, now, ticket);
}

}  // namespace

void arm_wait(Node& node, Instant now, Ticket ticket) {
  node.wheel.arm(node.waiter_timer(Waiters::place(ticket)),
                 now + node.options.serf.broadcast_timeout);
}

void begin_leave(Node& node, Instant now, std::uint64_t token) {
  if (node.leave == LeaveStage::left) return node.report.done(now, token, CommandResult::ok);
  if (node.leave != LeaveStage::none) {
    return node.report.done(now, token, CommandResult::leave_in_progress);
  }
  node.leave = LeaveStage::intent;
  node.leave_token = token;
  const LeaveIntent intent{
      .time = node.member_clock.time(), .node = node.self_name(), .prune = false};
  node.member_clock.increment();
  apply_leave_intent(node, now, intent);
  const Ticket ticket = node.live_others > 0 ? node.waiters.add(Waiters::Kind::leave_intent, 0) : 0;
  if (ticket == 0) return leave_memberlist(node, now);
  std::array<std::byte, 1536> room;
  Writer out(room);
  encode(intent, out);
  CHECK(out.ok());
  broadcast_serf(node, SerfQueue::intents, out.written(), ticket);
  arm_wait(node, now, ticket);
}

void leave_due(Node& node, Instant now) {
  node.leave = LeaveStage::left;
  node.report.done(now, node.leave_token, CommandResult::ok);
}

void end_wait(Node& node, Instant now, const Waiters::Waiter& waiter, bool finished) {
  switch (waiter.kind) {
    case Waiters::Kind::leave_intent:
      return leave_memberlist(node, now);
    case Waiters::Kind::leave_dead:
      return pause_before_left(node, now);
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
