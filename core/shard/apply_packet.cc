#include "core/shard/apply_packet.h"

#include "core/shard/apply_alive.h"
#include "core/shard/apply_dead.h"
#include "core/shard/apply_suspect.h"
#include "core/shard/probe_turn.h"
#include "core/shard/route.h"
#include "core/shard/serf_turn.h"
#include "core/shard/sync_turn.h"

namespace starling {

namespace {

// An ordinary datagram earns at most an ack and a forwarded ping. One that bundles more pings gets
// as many answers as there are blanks; the rest count as lost.
constexpr std::size_t replies_usual = 2;

void report_fault(Node& node, Instant now, TraceKind kind, const Endpoint& from,
                  const WireError& error) {
  node.report.trace(now, kind, {.endpoint = from, .error = error}, node.counters);
}

template <class Message, class Apply>
void apply_decoded(Node& node, Instant now, const Endpoint& from, const Decoded<Message>& message,
                   Apply&& apply) {
  if (message) {
    apply(*message);
    return;
  }
  ++node.counters.messages_dropped;
  report_fault(node, now, TraceKind::message_dropped, from, message.error());
}

}  // namespace

void apply_message(Node& node, Instant now, Bytes message, const Endpoint& from) {
  if (message.empty()) return;
  if (message.front() == std::byte{sync_message_type}) return apply_sync(node, now, message, from);
  const Bytes body = message.subspan(1);
  Scratch& scratch = node.decode_scratch;
  scratch.reset();
  switch (static_cast<MessageType>(message.front())) {
    case MessageType::ping:
      return apply_decoded(node, now, from, decode_ping(body, scratch),
                           [&](const Ping& ping) { apply_ping(node, now, ping, from); });
    case MessageType::indirect_ping:
      return apply_decoded(
          node, now, from, decode_indirect_ping(body, scratch),
          [&](const IndirectPing& ping) { apply_indirect_ping(node, now, ping, from); });
    case MessageType::ack:
      return apply_decoded(node, now, from, decode_ack(body, scratch),
                           [&](const Ack& ack) { apply_ack(node, now, ack); });
    case MessageType::nack:
      return apply_decoded(node, now, from, decode_nack(body),
                           [&](const Nack& nack) { apply_nack(node, nack); });
    case MessageType::suspect:
      return apply_decoded(node, now, from, decode_suspect(body, scratch),
                           [&](const Suspect& suspect) { apply_suspect(node, now, suspect); });
    case MessageType::alive:
      return apply_decoded(node, now, from, decode_alive(body, scratch), [&](const Alive& alive) {
        apply_alive(node, now, alive, {.sender = &from});
      });
    case MessageType::dead:
      return apply_decoded(node, now, from, decode_dead(body, scratch),
                           [&](const Dead& dead) { apply_dead(node, now, dead, 0); });
    case MessageType::user:
      return apply_user_message(node, now, body, from);
    case MessageType::push_pull:
    case MessageType::compound:
    case MessageType::compress:
    case MessageType::encrypt:
    case MessageType::has_crc:
    case MessageType::error:
      break;
  }
  ++node.counters.messages_dropped;
  report_fault(node, now, TraceKind::message_dropped, from,
               {.layer = "datagram", .field = "type", .fault = WireFault::unsupported});
}

namespace {

// Messages whose members' rows are fetched from memory together, before the first is applied.
constexpr std::size_t messages_ahead = 16;

void fetch_rows(const Node& node, std::span<const Bytes> messages) {
  std::array<NameHash, messages_ahead> hashes;
  std::size_t count = 0;
  for (const Bytes message : messages) {
    const std::string_view name = peek_node(message);
    if (name.empty()) continue;
    hashes[count] = hash_name(name);
    if (!node.owns(hashes[count])) continue;
    node.members.prefetch(hashes[count++]);
  }
  for (const NameHash hash : std::span(hashes).first(count)) node.members.prefetch_name(hash);
}

// To the owner of what the message is about: here, or by mail.
void deliver(Node& node, Instant now, Bytes message, const Endpoint& from) {
  const ShardId owner = node.alone() ? node.id : owner_of(node, message);
  if (owner == node.id) return apply_message(node, now, message, from);
  post(node, owner, {.kind = MailKind::message, .endpoint = from, .bytes = message});
}

void apply_packet(Node& node, Instant now, const RxPacket& packet) {
  ++node.counters.packets_in;
  node.counters.bytes_in += packet.bytes.size();
  node.peeler.reset();
  const Peeler::Result result =
      node.peeler.peel(packet.bytes, node.policy, node.cipher, node.parts);
  if (result.faulty) {
    ++node.counters.packets_dropped;
    report_fault(node, now, TraceKind::packet_dropped, packet.from, result.fault);
  }
  std::span<const Bytes> parts = node.parts.first(result.parts);
  while (!parts.empty()) {
    const std::size_t count = std::min(parts.size(), messages_ahead);
    if (count > 1) fetch_rows(node, parts.first(count));
    for (const Bytes part : parts.first(count)) deliver(node, now, part, packet.from);
    parts = parts.subspan(count);
  }
}

}  // namespace

std::size_t apply_packets(Node& node, Instant now, std::span<const RxPacket> packets) {
  std::size_t taken = 0;
  for (const RxPacket& packet : packets) {
    if (node.out.packets_left() < Outbox::packets_reserved + replies_usual) break;
    apply_packet(node, now, packet);
    ++taken;
  }
  return taken;
}

}  // namespace starling
