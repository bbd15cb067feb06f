// The responder's side of reconciliation: one message in, messages out, nothing remembered.
//
// Each answer is made from the table as it is, so a peer that lies, repeats itself or goes away
// leaves nothing behind. The work for one message is bounded: a decoding of 32 cells, or the rows
// of 64 buckets, or those of one range. What may be sent for one message is bounded, too; see
// answer.cc.
#pragma once

#include "core/digest/record_source.h"
#include "wire/sync.h"

namespace starling {

// The smallest room for a message: the largest record with its header.
inline constexpr std::size_t sync_room_min = 900;

// Answers a message from an initiator (not header.from_responder) to `from`. `room`: the longest
// message to send, at least sync_room_min.
void answer(const Endpoint& from, const SyncMessage& message, std::size_t room,
            RecordSource& source);
// Where several lanes share a digest: what concerns the rows of this one in a message from `from`
// that another lane has taken, or in its own name put together; of either side of the exchange.
void answer_part(const Endpoint& from, const SyncMessage& message, std::size_t room,
                 RecordSource& source);

}  // namespace starling
