// Received datagrams: peeled into messages, then each message applied by its kind, in order.
//
// protocol/memberlist section 4.7.
#pragma once

#include "core/shard/mail.h"
#include "core/shard/node.h"

namespace starling {

// One message, type byte first, that this lane owns. `from` is the datagram's source.
void apply_message(Node& node, Instant now, Bytes message, const Endpoint& from);

// Messages of one datagram that another lane took in, all about what this lane owns.
void apply_parcels(Node& node, Instant now, const Endpoint& from, std::span<const Parcel> parcels);

// Takes packets from the front while the outbox can hold answers; how many.
std::size_t apply_packets(Node& node, Instant now, std::span<const RxPacket> packets);

}  // namespace starling
