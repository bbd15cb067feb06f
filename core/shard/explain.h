// Why a member is what it is: what the engine itself knows of one name, for its owner to show.
//
// protocol/memberlist sections 9 to 13 and protocol/serf section 6: the row with its state and
// incarnation, Serf's status, the running suspicion with who accused and when it ends, and an
// intent heard of a name without a row. Answered by the lane that owns the name. Accusers are given
// as hashes of their names: their rows may be another lane's, or gone. O(1), nothing is kept.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <type_traits>

#include "core/serf/status_rules.h"
#include "core/shard/commands.h"
#include "core/shard/node.h"

namespace starling {

// A value that travels as bytes between a lane and its owner, in one process.
struct Explanation {
  Instant now{};
  bool known = false;   // it has a row; without one only the intent below can be there
  bool listed = false;  // memberlist knows it; Serf may remember it longer
  bool hosted = false;  // by this engine
  MemberState state{};
  Incarnation incarnation{};
  Instant state_changed{};
  MemberStatus status = MemberStatus::none;
  LamportTime status_time{};
  Instant gone_since{};  // status leaving, left or failed: since when
  Endpoint endpoint;

  // An intent that came before the member, see RecentIntents.
  bool has_intent = false;
  IntentKind intent = IntentKind::join;
  LamportTime intent_time{};

  bool suspicion = false;  // one runs
  Instant suspicion_started{}, suspicion_ends{};
  std::uint32_t confirmations = 0, confirmations_needed = 0;
  std::array<NameHash, 1 + Suspicions::confirmers_max> accusers{};  // 1 + confirmations of them

  // hosted: how well it thinks the engine does, and how far its leave is.
  std::int32_t health = 0;
  LeaveStage leave = LeaveStage::none;
};
static_assert(std::is_trivially_copyable_v<Explanation>);

// Command::Kind::explain.
void answer_explain(Node& node, Instant now, const Command& command);

// What such an answer's payload says; nullopt: it is not one.
std::optional<Explanation> decode_explanation(Bytes payload);

}  // namespace starling
