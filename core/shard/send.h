// Sending one datagram: bare, with gossip piggybacked, or as a gossip packet.
//
// protocol/memberlist sections 4.3, 4.6, 14.1-14.3. A full outbox drops the datagram, as a full
// socket would; the callers that may not lose theirs look at packets_left() first.
#pragma once

#include "core/shard/node.h"

namespace starling {

// `message` as it is, e.g. ping+suspect or a direct user message.
void send_datagram(Node& node, const Endpoint& to, Bytes message, bool with_crc);
// The same without trying to compress it: digests and cells do not get smaller.
void send_uncompressed(Node& node, const Endpoint& to, Bytes message);
// `message` and as many queued broadcasts as fit, or only a few while the lane is overrun. For
// pings, indirect pings, acks and nacks.
void send_with_gossip(Node& node, const Endpoint& to, Bytes message);
// A packet of queued broadcasts for a member, behind what another lane has put together. False when
// there is nothing left to say.
bool send_gossip(Node& node, Slot to, Bytes from_another_lane = {});
// The body of such a packet, for another lane to send; in node.packet_scratch.
Bytes gossip_body(Node& node);

// Encodes `message` and sends it with piggybacked gossip.
template <class Message>
void send_message(Node& node, const Endpoint& to, const Message& message) {
  std::array<std::byte, 4096> room;  // two names of the longest permitted length fit
  Writer out(room);
  encode(message, out);
  if (out.ok()) send_with_gossip(node, to, out.written());
}

// Where a hosted member says it can be reached: the Source fields of pings.
Source own_source(const Node& node, const Hosted& member);

}  // namespace starling
