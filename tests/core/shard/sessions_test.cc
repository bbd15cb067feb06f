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

TEST(Sessions, CountWhoWaitsFromWhere) {
  const EngineOptions options = LoneNode::options_named("me");
  ArenaBlock memory(Sessions::footprint(options) + 4096);
  Cipher cipher(options.keyring);
  const EnvelopePolicy policy;
  Sessions sessions(memory.arena(), options, policy, cipher);
  const IpAddress one = IpAddress::v4(127, 0, 0, 1), two = IpAddress::v4(127, 0, 0, 2);
  EXPECT_EQ(sessions.largest_source(), nullptr);
  std::vector<Session*> taken;
  for (const IpAddress& from : {one, two, two}) {
    taken.push_back(sessions.acquire(Session::Kind::inbound));
    sessions.begin_waiting(*taken.back(), from);
  }
  EXPECT_EQ(sessions.sources(), 2u);
  EXPECT_EQ(sessions.waiting(two), 2u);
  EXPECT_EQ(sessions.largest_source()->address, two);
  EXPECT_EQ(sessions.source_of(*taken[0]).address, one);
  sessions.end_waiting(*taken[1]);
  sessions.end_waiting(*taken[1]);
  EXPECT_EQ(sessions.waiting(two), 1u);
  for (Session* session : taken) sessions.release(*session);
  EXPECT_EQ(sessions.sources(), 0u);
  EXPECT_EQ(sessions.waiting(one), 0u);
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
