// Why a member is in its state: the engine's explanation and the agent's history put together.
//
// The answer of the RPC command `explain`, in sections of keys and texts as `stats` has them.
// Ages end in `_s` and are seconds with milliseconds, round trips end in `_ms`; what is not known
// or does not apply is left out. Sections:
//   member     name, status, address, state, incarnation, status_time, listed, hosted, changed_s,
//              gone_s
//   suspicion  since_s, ends_in_s, confirmations, confirmations_needed, accusers
//   probe      ago_s, result, round_trip_ms
//   death      ago_s, by, incarnation
//   intent     kind, time        heard of a name that is no member
//   host       health, leave     of a member that this agent hosts
//   history    01, 02, ...: "12.345 suspected by b, incarnation 3", age first, oldest first
//   history_limit  dropped       how many older ones are no longer kept, if any
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "agent/member_history.h"
#include "agent/rpc_messages.h"
#include "core/shard/explain.h"

namespace starling::agent {

// The name of the member with this hash; empty when there is none.
using NameOf = std::function<std::string(NameHash)>;

// `history` may be nullptr. Accusers that neither the history nor `name_of` can name are "?".
// Empty when nothing at all is known.
Stats explain(std::string_view name, const Explanation& explanation,
              const MemberHistory::Member* history, const NameOf& name_of);

// "2.123", of a time that has passed.
std::string age_text(Instant now, Instant then);

}  // namespace starling::agent
