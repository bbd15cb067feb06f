// Short ways to ask a LoneNode what it did. For tests.
#pragma once

#include <string>
#include <vector>

#include "tests/support/lone_node.h"
#include "tests/support/peer_messages.h"
#include "wire/serf_messages.h"

namespace starling::test {

inline LoneNode node_named(std::string name) {
  return LoneNode(LoneNode::options_named(std::move(name)));
}

// The newest alive message about `name` among what the node gossips; its incarnation, or 0.
inline std::uint32_t gossiped_incarnation(LoneNode& node, std::string_view name) {
  std::uint32_t newest = 0;
  node.advance(std::chrono::seconds(1));
  for (const ByteVector& message : node.take_messages(MessageType::alive)) {
    Scratch scratch;
    const auto alive = decode_alive(body_of(message), scratch);
    if (alive && alive->node == name) newest = std::max(newest, to_number(alive->incarnation));
  }
  return newest;
}

inline std::size_t member_events(LoneNode& node, MemberEventKind kind, std::string_view name) {
  std::size_t count = 0;
  for (const KeptEvent& kept : node.take_events()) {
    if (kept.event.kind == Event::Kind::member && kept.event.change == kind && kept.name == name) {
      ++count;
    }
  }
  return count;
}

inline LoneNode quiet_node() {
  EngineOptions options = LoneNode::options_named("me");
  options.swim.probe_interval = Duration::zero();
  options.swim.push_pull_interval = Duration::zero();
  return LoneNode(options);
}

// A Serf message as the datagram that carries it.
template <class Message>
ByteVector user_datagram(const Message& message) {
  std::array<std::byte, 4096> room;
  Writer out(room);
  out.u8(static_cast<std::uint8_t>(MessageType::user));
  encode(message, out);
  return to_vector(out.written());
}

// Serf messages of one type that the node gossips within `duration`, without memberlist's type
// byte.
inline std::vector<ByteVector> gossiped(LoneNode& node, SerfType type,
                                        Duration duration = std::chrono::seconds(1)) {
  node.advance(duration);
  std::vector<ByteVector> found;
  for (const ByteVector& message : node.take_messages(MessageType::user)) {
    if (message.size() > 1 && message[1] == static_cast<std::byte>(type)) {
      found.push_back(to_vector(body_of(message)));
    }
  }
  return found;
}

struct Done {
  std::uint64_t token;
  CommandResult result;
  std::string text;
  friend bool operator==(const Done&, const Done&) = default;
};

inline std::vector<Done> finished(LoneNode& node) {
  std::vector<Done> done;
  for (const KeptEvent& kept : node.take_events()) {
    if (kept.event.kind != Event::Kind::done) continue;
    done.push_back({kept.event.token, kept.event.result, kept.text});
  }
  return done;
}

inline std::vector<std::string> member_changes(LoneNode& node, std::string_view name) {
  std::vector<std::string> changes;
  for (const KeptEvent& kept : node.take_events()) {
    if (kept.event.kind != Event::Kind::member || kept.name != name) continue;
    changes.emplace_back(kept.event.change ? to_text(*kept.event.change) : "status");
  }
  return changes;
}

}  // namespace starling::test
