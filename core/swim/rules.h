// The decisions of protocol/memberlist section 10 as pure functions: facts in, verdict out.
//
// No table, no clock, no output: small enough to be tested over every combination. The caller
// looks up the facts, acts on the verdict in one place, and sends and notifies.
#pragma once

#include <cstdint>

#include "wire/base/types.h"

namespace starling {

// What we hold of the member that a suspect or dead message names.
struct Known {
  bool exists = false;
  MemberState state = MemberState::dead;
  Incarnation incarnation{};
  bool is_self = false;
  bool suspicion_running = false;
};

enum class Verdict : std::uint8_t {
  ignore,   // nothing changes
  confirm,  // feed the accuser to the running suspicion; rebroadcast if it was new
  refute,   // it is about us and not true: answer with a higher incarnation
  accept,   // take over what the message says, and broadcast it
};

// Section 10.3.
constexpr Verdict judge_suspect(Known known, Incarnation claimed) {
  if (!known.exists || claimed < known.incarnation) return Verdict::ignore;
  if (known.suspicion_running) return Verdict::confirm;
  if (known.state != MemberState::alive) return Verdict::ignore;
  return known.is_self ? Verdict::refute : Verdict::accept;
}

// Section 10.4. On refute and accept the caller forgets a running suspicion first. `from_self`
// (the message's From is its Node) does not change the verdict, not even about ourselves: it
// decides the state that an accepted message leads to, see state_after_dead.
constexpr Verdict judge_dead(Known known, Incarnation claimed, bool /*from_self*/, bool leaving) {
  if (!known.exists || claimed < known.incarnation) return Verdict::ignore;
  if (known.state == MemberState::dead || known.state == MemberState::left) return Verdict::ignore;
  if (known.is_self && !leaving) return Verdict::refute;
  return Verdict::accept;
}

constexpr MemberState state_after_dead(bool from_self) {
  return from_self ? MemberState::left : MemberState::dead;
}

// What section 10.2 looks at, after the version check (7.1) and the alive delegate's veto.
struct AliveFacts {
  bool exists = false;     // the fields from `stored` to `address_differs` count only if so
  bool is_self = false;    // the message names a member that this node hosts
  bool bootstrap = false;  // produced by this node itself
  bool leaving = false;    // that hosted member has called leave
  Incarnation stored{};
  MemberState state = MemberState::dead;
  bool reclaim_due = false;      // the option is on and the member is dead longer than it says
  bool address_differs = false;  // byte for byte, or the port
  Incarnation claimed{};
  bool address_allowed = true;  // by the allow list
  bool same_content = false;    // about us: meta and versions equal ours
};

enum class AliveVerdict : std::uint8_t {
  ignore,
  conflict,  // tell the conflict delegate; nothing is stored or gossiped
  refute,    // it is about us and not exactly what we say
  accept,    // forget a suspicion, store everything, broadcast; a new member is listed
};

// Section 10.2. An unknown name with incarnation 0 is ignored without leaving a row behind.
constexpr AliveVerdict judge_alive(const AliveFacts& facts) {
  if (facts.leaving && facts.is_self) return AliveVerdict::ignore;
  const bool must_be_allowed = !facts.exists || facts.address_differs;
  if (must_be_allowed && !facts.address_allowed) return AliveVerdict::ignore;

  const Incarnation stored = facts.exists ? facts.stored : Incarnation{0};
  bool new_address = false;
  if (facts.exists && facts.address_differs) {
    const bool reclaimable =
        facts.state == MemberState::left || (facts.state == MemberState::dead && facts.reclaim_due);
    if (!reclaimable) return AliveVerdict::conflict;
    new_address = true;
  }

  if (facts.is_self) {
    if (facts.claimed < stored) return AliveVerdict::ignore;
    if (facts.bootstrap) return AliveVerdict::accept;
    const bool our_own_words = facts.claimed == stored && facts.same_content;
    return our_own_words ? AliveVerdict::ignore : AliveVerdict::refute;
  }
  if (facts.claimed <= stored && !new_address) return AliveVerdict::ignore;
  return AliveVerdict::accept;
}

// What the application hears of an accepted message (sections 10.2 step 10 and 10.4 step 5).
enum class StatusChange : std::uint8_t { none, join, update, leave };

// `before`: the state before the message; dead for a member that was unknown.
constexpr StatusChange change_after_alive(MemberState before, bool meta_changed) {
  if (before == MemberState::dead || before == MemberState::left) return StatusChange::join;
  return meta_changed ? StatusChange::update : StatusChange::none;
}
constexpr StatusChange change_after_dead() {
  return StatusChange::leave;
}

// Members that the application sees (section 9).
constexpr bool is_exposed(MemberState state) {
  return state == MemberState::alive || state == MemberState::suspect;
}

// Which handler an entry of a push/pull list goes to (section 10.6).
enum class MergeAction : std::uint8_t {
  ignore,
  alive,    // alive, not bootstrap
  suspect,  // suspect with our own name as From; a dead entry, too
  left,     // dead with that member's own name as From
};

constexpr MergeAction merge_action(std::int64_t state) {
  switch (state) {
    case 0:
      return MergeAction::alive;
    case 1:
    case 2:
      return MergeAction::suspect;
    case 3:
      return MergeAction::left;
    default:
      return MergeAction::ignore;
  }
}

}  // namespace starling
