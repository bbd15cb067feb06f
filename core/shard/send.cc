#include "core/shard/send.h"

#include <algorithm>

#include "core/shard/broadcast.h"

namespace starling {

namespace {

constexpr std::size_t piggyback_when_overrun = 200;

std::size_t encryption_overhead(const Node& node, bool only_when_sending) {
  if (!node.cipher.enabled()) return 0;
  if (only_when_sending && !node.policy.verify_outgoing) return 0;
  return node.policy.encryption_version == 0 ? encrypt_overhead_v0_max : encrypt_overhead_v1;
}

// What a datagram may hold besides the compound header, `taken` bytes of it being used already.
std::size_t gossip_budget(const Node& node, std::size_t taken, bool piggyback) {
  const std::size_t overhead = compound_header_bytes + label_overhead(node.policy.label.label) +
                               encryption_overhead(node, piggyback) + taken;
  const std::size_t limit = node.options.swim.udp_buffer_bytes;
  return overhead < limit ? limit - overhead : 0;
}

// The messages of a datagram body, one by one.
void add_parts(CompoundBuilder& builder, Bytes body) {
  if (body.empty()) return;
  if (static_cast<MessageType>(body.front()) != MessageType::compound) {
    builder.add(body);
    return;
  }
  Decoded<CompoundReader> parts = CompoundReader::open(body.subspan(1));
  if (!parts) return;
  for (Bytes part; parts->next(part);) builder.add(part);
}

}  // namespace

Source own_source(const Node& node, const Hosted& member) {
  return {.address = member.advertise.address.bytes(),
          .port = member.advertise.port,
          .node = node.hosted.name(member)};
}

namespace {

void send_wrapped(Node& node, const Endpoint& to, Bytes message, bool with_crc,
                  const EnvelopePolicy& policy) {
  TxPacket* packet = node.out.packet(to);
  if (packet == nullptr) {
    ++node.counters.packets_not_sent;
    return;
  }
  const Nonce nonce = node.next_nonce();
  const std::size_t bytes =
      node.wrapper.datagram(message, with_crc, policy, node.cipher, nonce, packet->room);
  if (bytes == 0) {
    ++node.counters.packets_not_sent;
    return;
  }
  node.out.commit(bytes);
  ++node.counters.packets_out;
  node.counters.bytes_out += bytes;
}

}  // namespace

void send_datagram(Node& node, const Endpoint& to, Bytes message, bool with_crc) {
  send_wrapped(node, to, message, with_crc, node.policy);
}

void send_uncompressed(Node& node, const Endpoint& to, Bytes message) {
  EnvelopePolicy plain = node.policy;
  plain.compress = false;
  send_wrapped(node, to, message, false, plain);
}

void send_with_gossip(Node& node, const Endpoint& to, Bytes message) {
  CompoundBuilder builder(node.packet_scratch);
  if (node.out.packets_left() == 0 || !builder.add(message)) {
    ++node.counters.packets_not_sent;
    return;
  }
  std::size_t room = gossip_budget(node, message.size(), true);
  // Where many are overrun, a packet full of news costs its receiver ten times what a ping does. A
  // few statements still go along: the newest first, so that who is accused refutes with the ack.
  if (node.overrun()) room = std::min(room, piggyback_when_overrun);
  fill_broadcasts(node, builder, room);
  send_datagram(node, to, builder.finish(), false);
}

Bytes gossip_body(Node& node) {
  CompoundBuilder builder(node.packet_scratch);
  fill_broadcasts(node, builder, gossip_budget(node, 0, false));
  return builder.finish();
}

bool send_gossip(Node& node, Slot to, Bytes from_another_lane) {
  CompoundBuilder builder(node.packet_scratch);
  add_parts(builder, from_another_lane);
  fill_broadcasts(node, builder, gossip_budget(node, builder.size(), false));
  if (builder.parts() == 0) return false;
  const bool with_crc = node.members.versions(to).protocol_max >= 5;
  send_datagram(node, node.members.endpoint(to), builder.finish(), with_crc);
  ++node.counters.gossip_packets;
  return true;
}

}  // namespace starling
