#include "core/serf/members.h"

#include <algorithm>

#include "wire/base/check.h"

namespace starling {

std::size_t SerfMembers::footprint(std::uint32_t members_max) {
  Footprint footprint;
  footprint.make<MemberStatus>(members_max);
  footprint.make<LamportTime>(members_max);
  footprint.make_zeroed<Instant>(members_max);
  footprint.make<std::uint32_t>(members_max);
  footprint.make<bool>(members_max);
  for (std::size_t list = 0; list < 2; ++list) footprint.make<Slot>(members_max);
  return footprint.total();
}

SerfMembers::SerfMembers(Arena& arena, std::uint32_t members_max, Duration flap_timeout)
    : status_(arena.make<MemberStatus>(members_max)),
      status_time_(arena.make<LamportTime>(members_max)),
      gone_since_(arena.make_zeroed<Instant>(members_max)),
      position_(arena.make<std::uint32_t>(members_max)),
      prune_pending_(arena.make<bool>(members_max)),
      flap_timeout_(flap_timeout) {
  for (List& list : lists_) list.slots = arena.make<Slot>(members_max);
}

Outcome SerfMembers::joined(Slot slot, Instant now, std::optional<RecentIntent> recent) {
  const MemberStatus before = status(slot);
  const bool flap = before == MemberStatus::failed && now - gone_since(slot) < flap_timeout_;
  if (before != MemberStatus::none) recent.reset();

  const auto kind = recent ? std::optional(recent->kind) : std::nullopt;
  Outcome outcome = apply(slot, on_joined(before, kind), now);
  if (recent) status_time_[index_of(slot)] = recent->time;
  prune_pending_[index_of(slot)] = false;
  outcome.flap = flap;
  return outcome;
}

Outcome SerfMembers::gone(Slot slot, Instant now) {
  return apply(slot, on_gone(status(slot)), now);
}

Outcome SerfMembers::updated(Slot slot) const {
  if (!contains(slot)) return {};
  return {.event = MemberEventKind::update};
}

Outcome SerfMembers::leave_intent(Slot slot, LamportTime time, LeaveOptions options) {
  CHECK(contains(slot));
  if (!is_news(time, status_time(slot))) return {};
  if (options.is_self && options.self_alive) return {.event = std::nullopt, .refute = true};

  status_time_[index_of(slot)] = time;
  // `gone_since` needs no instant here: a failed member that turns out to have left keeps its own.
  Outcome outcome = apply(slot, on_leave_intent(status(slot)), gone_since(slot));
  outcome.rebroadcast = true;
  if (options.prune) {
    // A leaving member gets the time to leave memberlist too, or its next message would bring it
    // back.
    const bool delayed = status(slot) == MemberStatus::leaving;
    outcome.erase = !delayed;
    outcome.erase_after_delay = delayed;
    prune_pending_[index_of(slot)] = delayed;
  }
  return outcome;
}

Outcome SerfMembers::join_intent(Slot slot, LamportTime time) {
  CHECK(contains(slot));
  if (!is_news(time, status_time(slot))) return {};
  status_time_[index_of(slot)] = time;
  Outcome outcome = apply(slot, on_join_intent(status(slot)), gone_since(slot));
  outcome.rebroadcast = true;
  if (status(slot) == MemberStatus::alive) prune_pending_[index_of(slot)] = false;
  return outcome;
}

void SerfMembers::stayed(Slot slot) {
  CHECK(status(slot) == MemberStatus::leaving);
  apply(slot, on_join_intent(MemberStatus::leaving), gone_since(slot));
  prune_pending_[index_of(slot)] = false;
}

bool SerfMembers::prune_due(Slot slot) const {
  return prune_pending_[index_of(slot)];
}

void SerfMembers::erase(Slot slot) {
  CHECK(contains(slot));
  list_remove(slot);
  set_status(slot, MemberStatus::none);
  status_time_[index_of(slot)] = {};
  gone_since_[index_of(slot)] = {};
  prune_pending_[index_of(slot)] = false;
}

std::optional<Slot> SerfMembers::reconnect_candidate(Rng& rng) const {
  const std::uint32_t failed_count = lists_[failed_list].size;
  if (failed_count == 0) return std::nullopt;
  const std::uint32_t others = std::max(1u, counts().alive);
  if (rng.below(others) >= failed_count) return std::nullopt;
  return lists_[failed_list].slots[rng.below(failed_count)];
}

SerfMembers::Counts SerfMembers::counts() const {
  Counts counts;
  counts.total = total_;
  counts.leaving = leaving_;
  counts.failed = lists_[failed_list].size;
  counts.left = lists_[left_list].size;
  counts.alive = total_ - counts.failed - counts.left;
  return counts;
}

Outcome SerfMembers::apply(Slot slot, const Transition& transition, Instant now) {
  if (!transition.applies) return {};
  if (transition.move != ListMove::none) list_remove(slot);
  set_status(slot, transition.status);
  if (transition.move == ListMove::to_failed) list_add(failed_list, slot);
  if (transition.move == ListMove::to_left) list_add(left_list, slot);
  if (transition.gone == GoneMark::set) gone_since_[index_of(slot)] = now;
  if (transition.gone == GoneMark::clear) gone_since_[index_of(slot)] = {};
  return {.event = transition.event};
}

void SerfMembers::set_status(Slot slot, MemberStatus status) {
  MemberStatus& known = status_[index_of(slot)];
  if (known == MemberStatus::none && status != MemberStatus::none) ++total_;
  if (known != MemberStatus::none && status == MemberStatus::none) --total_;
  if (known == MemberStatus::leaving) --leaving_;
  if (status == MemberStatus::leaving) ++leaving_;
  known = status;
}

void SerfMembers::list_add(std::size_t which, Slot slot) {
  List& list = lists_[which];
  position_[index_of(slot)] = list.size;
  list.slots[list.size++] = slot;
}

// Call it before the status changes: the status says in which list the member is.
void SerfMembers::list_remove(Slot slot) {
  const MemberStatus known = status(slot);
  if (known != MemberStatus::failed && known != MemberStatus::left) return;
  List& list = lists_[known == MemberStatus::failed ? failed_list : left_list];
  const std::uint32_t hole = position_[index_of(slot)];
  const Slot last = list.slots[--list.size];
  list.slots[hole] = last;
  position_[index_of(last)] = hole;
}

}  // namespace starling
