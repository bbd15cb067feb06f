// Dead messages (protocol/memberlist section 10.4).
#include <gtest/gtest.h>

#include "tests/support/lone_node.h"
#include "tests/support/node_talk.h"
#include "tests/support/peer_messages.h"

namespace starling::test {
namespace {

using namespace std::chrono_literals;

TEST(SwimDead, TellsLeftFromDead) {
  LoneNode node = node_named("me");
  node.receive_message(Peer{.name = "a", .host = 2}.alive(1));
  node.receive_message(Peer{.name = "b", .host = 3}.alive(1));
  node.take_events();
  node.receive_message(dead("a", 1, "a"));
  node.receive_message(dead("b", 1, "a"));
  std::vector<TraceKind> traces;
  for (const KeptEvent& kept : node.take_events()) {
    if (kept.event.kind == Event::Kind::trace) traces.push_back(kept.event.trace);
  }
  EXPECT_EQ(traces, (std::vector{TraceKind::member_left, TraceKind::member_dead}));
  node.receive_message(Peer{.name = "b", .host = 3}.alive(1));
  EXPECT_EQ(node.stats().members_alive, 1u) << "dead stays dead at the same incarnation";
  node.receive_message(Peer{.name = "b", .host = 3}.alive(2));
  EXPECT_EQ(node.stats().members_alive, 2u);
}

}  // namespace
}  // namespace starling::test
