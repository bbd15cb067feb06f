// Commands and their answers.
#include <gtest/gtest.h>

#include "tests/support/lone_node.h"
#include "tests/support/node_talk.h"
#include "tests/support/peer_messages.h"

namespace starling::test {
namespace {

using namespace std::chrono_literals;

TEST(SerfTags, ANewMetaGoesOutWithAHigherIncarnation) {
  LoneNode node = quiet_node();
  node.receive_message(Peer{.name = "a"}.alive(1));
  node.advance(2s);
  node.take_packets();
  node.take_events();
  node.command({.kind = Command::Kind::set_meta, .token = 3, .payload = as_bytes("meta")});
  EXPECT_EQ(member_changes(node, "me"), (std::vector<std::string>{"member-update"}));
  node.advance(5s);
  std::uint32_t incarnation = 0;
  for (const ByteVector& message : node.take_messages(MessageType::alive)) {
    Scratch scratch;
    const auto alive = decode_alive(body_of(message), scratch);
    if (alive->node != "me") continue;
    incarnation = to_number(alive->incarnation);
    EXPECT_EQ(as_text(alive->meta), "meta");
  }
  EXPECT_EQ(incarnation, 2u);
  EXPECT_EQ(finished(node), (std::vector<Done>{{3, CommandResult::ok, ""}}));
}

}  // namespace
}  // namespace starling::test
