// Serf inside memberlist's messages, as JSON: user messages, metadata, ack payloads, user state.
//
// protocol/serf sections 2, 4, 7, 11 and 14. Memberlist carries the bytes of any application, so
// each function first judges whether they can be Serf's: a known first byte and then a map. What
// cannot be is shown as bytes; what can be and does not decode is a fault. Any thread.
#pragma once

#include "agent/decode/values.h"

namespace starling::agent::decode {

// {"bytes", "serf": {"type", fields as on the wire}}; relays with what is inside them.
Decoded<Json> user_payload_json(Bytes payload);
// {"bytes", "tags": {...}} or bytes; a bare role of old Serf is "text".
Decoded<Json> meta_json(Bytes meta);
// {"bytes", "coordinate": {...}} or bytes.
Decoded<Json> ack_payload_json(Bytes payload);
// {"bytes", "serf": {clocks, left members, status times, slots, events by slot}} or bytes.
Decoded<Json> user_state_json(Bytes state);

}  // namespace starling::agent::decode
