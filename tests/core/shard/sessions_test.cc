// The pool of stream sessions.
#include "core/shard/sessions.h"

#include <gtest/gtest.h>

#include "tests/support/arena_block.h"
#include "tests/support/lone_node.h"

namespace starling::test {
namespace {

TEST(Sessions, AreLentAndTakenBack) {
  const EngineOptions options = LoneNode::options_named("me");
  ArenaBlock memory(Sessions::footprint(options) + 4096);
  Cipher cipher(options.keyring);
  const EnvelopePolicy policy;
  Sessions sessions(memory.arena(), options, policy, cipher);
  EXPECT_LE(memory.arena().used(), Sessions::footprint(options) + 64);

  EXPECT_TRUE(sessions.made().empty()) << "none before it is wanted";
  std::vector<Session*> taken;
  while (Session* session = sessions.acquire(Session::Kind::inbound)) {
    session->id = StreamId{static_cast<std::uint32_t>(taken.size()) | stream_accepted_bit};
    taken.push_back(session);
  }
  EXPECT_EQ(taken.size(), options.capacity.streams_max);
  EXPECT_EQ(sessions.made().size(), taken.size());
  EXPECT_EQ(sessions.find(taken[3]->id), taken[3]);
  EXPECT_EQ(sessions.find(StreamId{99}), nullptr);

  std::size_t images = 0;
  for (Session* session : taken) images += sessions.lend_image(*session).empty() ? 0 : 1;
  EXPECT_EQ(images, Sessions::images_max);
  sessions.release(*taken[0]);
  EXPECT_EQ(sessions.find(taken[0]->id), nullptr) << "it has ended";
  Session* again = sessions.acquire(Session::Kind::push_pull);
  ASSERT_EQ(again, taken[0]);
  EXPECT_FALSE(sessions.lend_image(*again).empty()) << "its image came back with it";
  EXPECT_EQ(sessions.used(), options.capacity.streams_max);
}

TEST(Sessions, DialledIdsNeverLookAccepted) {
  const EngineOptions options = LoneNode::options_named("me");
  ArenaBlock memory(Sessions::footprint(options) + 4096);
  Cipher cipher(options.keyring);
  const EnvelopePolicy policy;
  Sessions sessions(memory.arena(), options, policy, cipher);
  const StreamId first = sessions.next_dial_id();
  EXPECT_NE(first, sessions.next_dial_id());
  EXPECT_FALSE(is_accepted(first));
}

}  // namespace
}  // namespace starling::test
