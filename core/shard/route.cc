#include "core/shard/route.h"

#include "wire/serf_messages.h"
#include "wire/sync.h"

namespace starling {

namespace {

template <class Message>
std::string_view subject_of(const Decoded<Message>& message) {
  return message ? message->node : std::string_view{};
}

Route route_by_subject(const Node& node, std::string_view subject) {
  if (subject.empty()) return {node.id};
  const NameHash hash = hash_name(subject);
  return {node.buckets.owner(hash), hash};
}

Route route_of_user_message(const Node& node, Bytes message) {
  if (message.empty()) return {node.id};
  const Bytes body = message.subspan(1);
  std::string_view subject;
  switch (static_cast<SerfType>(message.front())) {
    case SerfType::leave:
      subject = subject_of(decode_leave_intent(body));
      break;
    case SerfType::join:
      subject = subject_of(decode_join_intent(body));
      break;
    case SerfType::user_event:
    case SerfType::query:
    case SerfType::query_response:
      return {front_lane};
    default:
      return {node.id};
  }
  return route_by_subject(node, subject);
}

// Messages that are not laid out as Go writes them are decoded in full.
std::string_view decoded_subject(Node& node, Bytes message) {
  const Bytes body = message.subspan(1);
  node.decode_scratch.reset();
  switch (static_cast<MessageType>(message.front())) {
    case MessageType::alive:
      return subject_of(decode_alive(body, node.decode_scratch));
    case MessageType::suspect:
      return subject_of(decode_suspect(body, node.decode_scratch));
    case MessageType::dead:
      return subject_of(decode_dead(body, node.decode_scratch));
    default:
      return {};
  }
}

}  // namespace

ShardId owner_of(const Node& node, SequenceNumber sequence) {
  const std::uint32_t lane = to_number(sequence) >> 24;
  return lane < node.lanes ? ShardId{static_cast<std::uint8_t>(lane)} : node.id;
}

Route route_of(Node& node, Bytes message) {
  if (message.empty()) return {node.id};
  const Bytes body = message.subspan(1);
  // The front lane runs the exchange. What another node's exchange asks every lane can answer.
  if (message.front() == std::byte{sync_message_type}) {
    return {is_from_responder(message) ? front_lane : node.id};
  }
  switch (static_cast<MessageType>(message.front())) {
    case MessageType::alive:
    case MessageType::suspect:
    case MessageType::dead: {
      const std::string_view subject = peek_node(message);
      return route_by_subject(node, subject.empty() ? decoded_subject(node, message) : subject);
    }
    case MessageType::ack: {
      node.decode_scratch.reset();
      const Decoded<Ack> ack = decode_ack(body, node.decode_scratch);
      return {ack ? owner_of(node, ack->sequence) : node.id};
    }
    case MessageType::nack: {
      const Decoded<Nack> nack = decode_nack(body);
      return {nack ? owner_of(node, nack->sequence) : node.id};
    }
    case MessageType::user:
      return route_of_user_message(node, body);
    default:
      return {node.id};
  }
}

bool post(Node& node, ShardId to, const Mail& mail) {
  if (node.mail.send(to, mail)) {
    ++node.counters.mails_sent;
    return true;
  }
  ++node.counters.mails_lost;
  return false;
}

void post_bundle(Node& node, ShardId to, const Endpoint& from, std::span<const Parcel> parcels) {
  const bool sent = node.mail.send_bundle(to, from, parcels);
  (sent ? node.counters.mails_sent : node.counters.mails_lost) += parcels.size();
}

void post_all(Node& node, const Mail& mail) {
  for (std::uint32_t lane = 0; lane < node.lanes; ++lane) {
    const ShardId to{static_cast<std::uint8_t>(lane)};
    if (to != node.id) post(node, to, mail);
  }
}

}  // namespace starling
