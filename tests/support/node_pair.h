// NodePair: two engines of so many lanes, and the cable between them. For tests.
//
// Only the comparison of tables is to repair anything: there is no gossip and no probing. What one
// sends reaches the other at its last lane, as a port that tells lanes apart by the sender would
// do, so that with several lanes it is not the one that leads exchanges. Virtual time.
#pragma once

#include <string>

#include "core/base/rng.h"
#include "tests/support/laned_node.h"
#include "tests/support/node_talk.h"

namespace starling::test {

class NodePair {
 public:
  struct Options {
    std::uint32_t lanes_a = 1, lanes_b = 1;
    double loss = 0;
    std::uint64_t seed = 5;
    // Whoever asks one of the taught members talks to the other node.
    bool strangers_answer = false;
  };
  explicit NodePair(const Options& options)
      : a(options_at("a", 1), options.lanes_a),
        b(options_at("b", 2), options.lanes_b),
        loss_(options.loss),
        strangers_answer_(options.strangers_answer),
        rng_(options.seed) {
    a.receive_message(0, Peer{.name = "b", .address = address(2)}.alive(1));
    b.receive_message(0, Peer{.name = "a", .address = address(1)}.alive(1));
  }
  static IpAddress address(std::uint8_t host) { return IpAddress::v4(127, 0, 1, host); }
  static EngineOptions options_at(std::string name, std::uint8_t host) {
    EngineOptions options = LoneNode::options_named(std::move(name));
    options.advertise = {address(host), 7946};
    options.seed = host;
    options.capacity.members_max = 8'192;
    options.capacity.queue_slab_bytes = 4u << 20;
    options.swim.gossip_interval = Duration::zero();
    options.swim.probe_interval = Duration::zero();
    options.swim.push_pull_interval = std::chrono::seconds(1);
    return options;
  }

  void run(Duration duration) {
    const Instant end = a.now() + duration;
    while (a.now() < end) {
      a.advance(std::chrono::milliseconds(1));
      b.advance(std::chrono::milliseconds(1));
      carry(a, 1, b, 2);
      carry(b, 2, a, 1);
    }
  }
  bool equal() {
    const Stats one = a.stats(), other = b.stats();
    return one.digest_root == other.digest_root && one.digest_count == other.digest_count;
  }
  // Members of its own for a node: known to it, not to the other.
  static void teach(LanedNode& node, std::size_t first, std::size_t count,
                    std::uint32_t incarnation = 1) {
    for (std::size_t i = first; i < first + count; ++i) {
      const std::string name = "member-" + std::to_string(i);
      node.receive_message(
          0, Peer{.name = name, .address = strangers}.alive(incarnation, as_bytes("shared tags")));
    }
    node.take_events();
  }

  LanedNode a, b;
  std::size_t datagrams = 0, bytes = 0;

 private:
  void carry(LanedNode& from, std::uint8_t from_host, LanedNode& to, std::uint8_t to_host) {
    from.take_events();
    const std::size_t lane = to.options().lanes - 1;
    for (const SentPacket& packet : from.take_packets()) {
      const bool to_stranger = packet.to.address == strangers;
      const bool as_stranger = packet.to.address == who_asked_strangers;
      const bool there = packet.to.address == address(to_host) || as_stranger ||
                         (to_stranger && strangers_answer_);
      if (!there) continue;
      ++datagrams;
      bytes += packet.bytes.size();
      if (rng_.below(1000) < loss_ * 1000) continue;
      const IpAddress sender = to_stranger   ? who_asked_strangers
                               : as_stranger ? strangers
                                             : address(from_host);
      if (to_stranger && packet.messages.at(0).front() == std::byte{0}) {
        receive_ping(to, lane, packet.messages[0], {sender, 7946});
      } else {
        to.receive(lane, packet.bytes, {sender, 7946});
      }
    }
  }
  // Whatever the name of who is asked.
  static void receive_ping(LanedNode& node, std::size_t lane, const ByteVector& message,
                           const Endpoint& from) {
    Scratch scratch;
    auto ping = decode_ping(body_of(message), scratch);
    CHECK(ping.has_value());
    ping->node = {};
    ping->source = {};
    std::array<std::byte, 1024> room;
    Writer out(room);
    encode(*ping, out);
    node.receive(lane, out.written(), from);
  }

  static inline const IpAddress strangers = IpAddress::v4(10, 0, 0, 9);
  static inline const IpAddress who_asked_strangers = IpAddress::v4(10, 0, 0, 8);

  double loss_;
  bool strangers_answer_;
  Rng rng_;
};

}  // namespace starling::test
