#include "sim/summary.h"

#include "wire/serf_messages.h"

namespace starling::sim {

namespace {

constexpr EnvelopeLimits limits{.inflated_bytes_max = 1 << 16, .nesting_max = 8, .parts_max = 512};

std::string about(std::string_view kind, std::string_view node, Incarnation incarnation) {
  return std::string(kind) + " " + std::string(node) +
         " inc=" + std::to_string(to_number(incarnation));
}
std::string numbered(std::string_view kind, SequenceNumber sequence) {
  return std::string(kind) + " seq=" + std::to_string(to_number(sequence));
}

std::string serf_message(Bytes body) {
  if (body.empty()) return "user, empty";
  const auto type = static_cast<SerfType>(body[0]);
  const Bytes rest = body.subspan(1);
  Scratch scratch;
  const auto timed = [](std::string_view kind, std::string_view name, LamportTime time) {
    return std::string(kind) + " " + std::string(name) + " time=" + std::to_string(to_number(time));
  };
  switch (type) {
    case SerfType::leave:
      if (const auto intent = decode_leave_intent(rest)) {
        return timed("leave-intent", intent->node, intent->time);
      }
      break;
    case SerfType::join:
      if (const auto intent = decode_join_intent(rest)) {
        return timed("join-intent", intent->node, intent->time);
      }
      break;
    case SerfType::user_event:
      if (const auto event = decode_user_event(rest, scratch)) {
        return timed("user-event", event->name, event->time);
      }
      break;
    default:
      break;
  }
  return "serf " + std::to_string(static_cast<unsigned>(type)) + ", " +
         std::to_string(body.size()) + " bytes";
}

}  // namespace

Summary::Summary(const EngineOptions& options)
    : label_(options.label),
      policy_{.label = {.label = label_, .skip_inbound_check = false},
              .verify_incoming = !options.keyring.empty(),
              .verify_outgoing = true,
              .compress = false,
              .encryption_version = 1},
      cipher_(options.keyring),
      workspace_(Peeler::workspace_bytes(limits)),
      peeler_(limits, workspace_),
      parts_(limits.parts_max) {}

std::string Summary::of(Bytes datagram) {
  peeler_.reset();
  const Peeler::Result result = peeler_.peel(datagram, policy_, cipher_, parts_);
  std::string text;
  for (std::size_t i = 0; i < result.parts; ++i) {
    if (i > 0) text += ", ";
    text += message(parts_[i]);
  }
  if (result.faulty) {
    text += std::string(text.empty() ? "" : ", ") + "unreadable " + result.fault.layer + ": " +
            std::string(to_text(result.fault.fault));
  }
  return text;
}

std::string Summary::message(Bytes part) {
  Scratch scratch;
  const auto type = static_cast<MessageType>(part[0]);
  const Bytes body = part.subspan(1);
  switch (type) {
    case MessageType::ping:
      if (const auto ping = decode_ping(body, scratch)) {
        return numbered("ping " + std::string(ping->node), ping->sequence);
      }
      break;
    case MessageType::indirect_ping:
      if (const auto ping = decode_indirect_ping(body, scratch)) {
        return numbered("indirect-ping " + std::string(ping->node), ping->sequence);
      }
      break;
    case MessageType::ack:
      if (const auto ack = decode_ack(body, scratch)) return numbered("ack", ack->sequence);
      break;
    case MessageType::nack:
      if (const auto nack = decode_nack(body)) return numbered("nack", nack->sequence);
      break;
    case MessageType::suspect:
      if (const auto suspect = decode_suspect(body, scratch)) {
        return about("suspect", suspect->node, suspect->incarnation) + " by " +
               std::string(suspect->from);
      }
      break;
    case MessageType::alive:
      if (const auto alive = decode_alive(body, scratch)) {
        return about("alive", alive->node, alive->incarnation);
      }
      break;
    case MessageType::dead:
      if (const auto dead = decode_dead(body, scratch)) {
        return about(dead->from == dead->node ? "left" : "dead", dead->node, dead->incarnation) +
               " by " + std::string(dead->from);
      }
      break;
    case MessageType::user:
      return serf_message(body);
    default:
      break;
  }
  return std::string(to_text(type)) + ", unreadable";
}

}  // namespace starling::sim
