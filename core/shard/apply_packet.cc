#include "core/shard/apply_packet.h"

#include <bit>

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
constexpr std::size_t messages_ahead = bundle_messages_max;

void fetch_rows(const Node& node, std::span<const Parcel> parcels) {
  if (parcels.size() < 2) return;
  for (const Parcel& parcel : parcels) {
    if (parcel.subject != NameHash{}) node.members.prefetch(parcel.subject);
  }
  for (const Parcel& parcel : parcels) {
    if (parcel.subject != NameHash{}) node.members.prefetch_name(parcel.subject);
  }
}

// The only lane of a node.
void apply_here(Node& node, Instant now, std::span<const Bytes> messages, const Endpoint& from) {
  std::array<Parcel, messages_ahead> parcels;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const std::string_view name = messages.size() > 1 ? peek_node(messages[i]) : std::string_view{};
    parcels[i] = {name.empty() ? NameHash{} : hash_name(name), messages[i]};
  }
  apply_parcels(node, now, from, std::span(parcels).first(messages.size()));
}

// Each message to the owner of what it is about: here, or in a bundle for another lane. In order
// for each of them; between lanes there is none.
void deal_out(Node& node, Instant now, std::span<const Bytes> messages, const Endpoint& from) {
  std::array<Route, messages_ahead> routes;
  std::uint32_t owners = 0;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    routes[i] = route_of(node, messages[i]);
    owners |= 1u << static_cast<unsigned>(routes[i].owner);
  }
  for (; owners != 0; owners &= owners - 1) {
    const ShardId owner{static_cast<std::uint8_t>(std::countr_zero(owners))};
    std::array<Parcel, messages_ahead> parcels;
    std::size_t count = 0;
    for (std::size_t i = 0; i < messages.size(); ++i) {
      if (routes[i].owner == owner) parcels[count++] = {routes[i].subject, messages[i]};
    }
    const std::span<const Parcel> share = std::span(parcels).first(count);
    if (owner == node.id) {
      apply_parcels(node, now, from, share);
    } else {
      post_bundle(node, owner, from, share);
    }
  }
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
    if (node.alone()) {
      apply_here(node, now, parts.first(count), packet.from);
    } else {
      deal_out(node, now, parts.first(count), packet.from);
    }
    parts = parts.subspan(count);
  }
}

}  // namespace

void apply_parcels(Node& node, Instant now, const Endpoint& from, std::span<const Parcel> parcels) {
  fetch_rows(node, parcels);
  for (const Parcel& parcel : parcels) apply_message(node, now, parcel.message, from);
}

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
