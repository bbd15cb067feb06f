#include "core/serf/members.h"

#include <algorithm>

#include "wire/base/check.h"

namespace starling {

std::size_t SerfMembers::footprint(std::uint32_t members_max) {
  Footprint footprint;
  footprint.make<std::uint8_t>(members_max);
  footprint.make<LamportTime>(members_max);
  footprint.add(InstantColumn::footprint(members_max));
  footprint.make<std::uint32_t>(members_max);
  for (std::size_t list = 0; list < 3; ++list) footprint.make<Slot>(members_max);
  return footprint.total();
}

SerfMembers::SerfMembers(Arena& arena, std::uint32_t members_max, Duration flap_timeout)
    : status_(arena.make<std::uint8_t>(members_max)),
      status_time_(arena.make<LamportTime>(members_max)),
      gone_since_(arena, members_max),
      position_(arena.make<std::uint32_t>(members_max)),
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
  set_prune_pending(slot, false);
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
    set_prune_pending(slot, delayed);
  }
  return outcome;
}

Outcome SerfMembers::join_intent(Slot slot, LamportTime time) {
  CHECK(contains(slot));
  if (!is_news(time, status_time(slot))) return {};
  status_time_[index_of(slot)] = time;
  Outcome outcome = apply(slot, on_join_intent(status(slot)), gone_since(slot));
  outcome.rebroadcast = true;
  if (status(slot) == MemberStatus::alive) set_prune_pending(slot, false);
  return outcome;
}

void SerfMembers::stayed(Slot slot) {
  CHECK(status(slot) == MemberStatus::leaving);
  apply(slot, on_join_intent(MemberStatus::leaving), gone_since(slot));
  set_prune_pending(slot, false);
}

bool SerfMembers::prune_due(Slot slot) const {
  return (status_[index_of(slot)] & prune_bit) != 0;
}

void SerfMembers::erase(Slot slot) {
  CHECK(contains(slot));
  set_status(slot, MemberStatus::none);
  status_time_[index_of(slot)] = {};
  gone_since_.clear(index_of(slot));
  set_prune_pending(slot, false);
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
  counts.leaving = lists_[leaving_list].size;
  counts.failed = lists_[failed_list].size;
  counts.left = lists_[left_list].size;
  counts.alive = total_ - counts.failed - counts.left;
  return counts;
}

Outcome SerfMembers::apply(Slot slot, const Transition& transition, Instant now) {
  if (!transition.applies) return {};
  set_status(slot, transition.status);
  if (transition.gone == GoneMark::set) gone_since_.set(index_of(slot), now);
  if (transition.gone == GoneMark::clear) gone_since_.clear(index_of(slot));
  return {.event = transition.event};
}

// The lists follow the status, as Transition::move says: who is failed, left or leaving is in that
// list and in no other.
void SerfMembers::set_status(Slot slot, MemberStatus status) {
  const MemberStatus known = this->status(slot);
  if (known == status) return;
  if (known == MemberStatus::none) ++total_;
  if (status == MemberStatus::none) --total_;
  if (const auto list = list_of(known)) list_remove(*list, slot);
  if (const auto list = list_of(status)) list_add(*list, slot);
  std::uint8_t& row = status_[index_of(slot)];
  row = static_cast<std::uint8_t>((row & prune_bit) | static_cast<std::uint8_t>(status));
}

void SerfMembers::set_prune_pending(Slot slot, bool pending) {
  std::uint8_t& row = status_[index_of(slot)];
  row = static_cast<std::uint8_t>((row & status_bits) | (pending ? prune_bit : 0));
}

std::optional<std::size_t> SerfMembers::list_of(MemberStatus status) {
  switch (status) {
    case MemberStatus::failed:
      return failed_list;
    case MemberStatus::left:
      return left_list;
    case MemberStatus::leaving:
      return leaving_list;
    case MemberStatus::none:
    case MemberStatus::alive:
      return std::nullopt;
  }
  return std::nullopt;
}

void SerfMembers::list_add(std::size_t which, Slot slot) {
  List& list = lists_[which];
  position_[index_of(slot)] = list.size;
  list.slots[list.size++] = slot;
}

void SerfMembers::list_remove(std::size_t which, Slot slot) {
  List& list = lists_[which];
  const std::uint32_t hole = position_[index_of(slot)];
  const Slot last = list.slots[--list.size];
  list.slots[hole] = last;
  position_[index_of(last)] = hole;
}

}  // namespace starling
