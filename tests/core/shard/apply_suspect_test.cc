// Suspect messages and their timers (protocol/memberlist sections 10.3 and 13).
#include <gtest/gtest.h>

#include "tests/support/lone_node.h"
#include "tests/support/node_talk.h"
#include "tests/support/peer_messages.h"

namespace starling::test {
namespace {

using namespace std::chrono_literals;

TEST(SwimSuspicion, ShortensWithEveryIndependentAccuser) {
  for (const std::size_t accusers : {1u, 2u, 3u}) {
    LoneNode node = node_named("me");
    for (std::uint8_t host = 2; host < 7; ++host) {
      const std::string name(1, static_cast<char>('a' + host));
      node.receive_message(Peer{.name = name, .host = host}.alive(1));
    }
    const char* const names[] = {"d", "e", "f"};
    for (std::size_t i = 0; i < accusers; ++i) {
      node.receive_message(suspect("c", 1, names[i]));
      node.receive_message(suspect("c", 1, names[i]));  // the same accuser counts once
    }
    node.take_events();
    Duration waited{};
    const Duration step = 10ms;
    bool declared = false;
    while (!declared && waited < 60s) {
      node.advance(step);
      waited += step;
      // Everybody answers our own probes, so that we do not become an accuser ourselves.
      for (const ByteVector& message : node.take_messages(MessageType::ping)) {
        Scratch scratch;
        const auto ping = decode_ping(body_of(message), scratch);
        node.receive_message(Ack{.sequence = ping->sequence, .payload = {}});
      }
      for (const KeptEvent& kept : node.take_events()) {
        declared |= kept.event.kind == Event::Kind::trace &&
                    kept.event.trace == TraceKind::suspect_timed_out && kept.name == "c";
      }
    }
    // n = 6: min 4 s, max 24 s, k = 2 (section 13's example, plus one tick).
    const Duration expected[] = {24s, 11'381ms, 4s};
    EXPECT_NEAR(static_cast<double>(waited.count()),
                static_cast<double>(expected[accusers - 1].count()), 25e6)
        << accusers << " accusers";
    EXPECT_EQ(node.stats().counters.suspicions_unconfirmed, accusers < 3 ? 1u : 0u);
  }
}

}  // namespace
}  // namespace starling::test
