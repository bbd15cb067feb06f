// Lanes that compare their common table with a peer: whatever differs, both end up with the same.
#include "core/shard/sync_lanes.h"

#include <gtest/gtest.h>

#include "tests/support/node_pair.h"
#include "wire/sync.h"

namespace starling::test {
namespace {

using std::chrono::seconds;

class RandomDifferences : public testing::TestWithParam<std::uint64_t> {};

// One lane against three. Rows that one side lacks, rows that are newer on one side; from a few,
// which the opening's cells tell, to thousands, which are streamed.
TEST_P(RandomDifferences, AreMadeEqual) {
  Rng rng(GetParam());
  NodePair pair({.lanes_a = 1,
                 .lanes_b = 3,
                 .loss = rng.chance(0.3) ? 0.05 : 0,
                 .seed = rng.next(),
                 .strangers_answer = true});
  const std::array<std::uint32_t, 4> most{4, 40, 400, 1500};
  const std::uint32_t bound = most[GetParam() % most.size()];
  std::size_t name = 0;
  const auto some = [&] { return 1 + rng.below(bound); };
  const std::size_t common = 100 + rng.below(1'500);
  NodePair::teach(pair.a, name, common);
  NodePair::teach(pair.b, name, common);
  name += common;
  for (LanedNode* node : {&pair.a, &pair.b}) {
    const std::size_t lacking = some();
    NodePair::teach(*node, name, lacking);
    name += lacking;
    const std::size_t newer = std::min<std::size_t>(some(), common / 2);
    NodePair::teach(*node, rng.below(static_cast<std::uint32_t>(common - newer)), newer,
                    2 + rng.below(5));
  }
  ASSERT_FALSE(pair.equal());
  for (int tries = 0; tries < 20 && !pair.equal(); ++tries) pair.run(seconds(1));
  EXPECT_TRUE(pair.equal());
  const Stats a = pair.a.stats(), b = pair.b.stats();
  EXPECT_EQ(a.members_alive, name + 2);
  EXPECT_EQ(b.members_alive, name + 2);
  EXPECT_EQ(b.counters.mails_lost, 0u);
}
INSTANTIATE_TEST_SUITE_P(Seeds, RandomDifferences, testing::Range<std::uint64_t>(1, 25));

// Every lane knows where the node stands, and an exchange that somebody else leads may come to any.
TEST(SyncLanes, EveryLaneAnswersForAll) {
  LanedNode node(NodePair::options_at("a", 1), 3);
  NodePair::teach(node, 0, 100);
  const Stats stats = node.stats();
  ASSERT_EQ(stats.digest_count, 101u);
  for (std::size_t lane = 0; lane < 3; ++lane) {
    node.take_packets();
    std::array<std::byte, 64> room;
    Writer out(room);
    encode({.exchange = ExchangeId{7}}, SyncFinished{.serial = 3}, out);
    node.receive(lane, out.written());
    bool answered = false;
    for (const SentPacket& packet : node.take_packets()) {
      const auto message = decode_sync(Bytes(packet.messages.at(0)).subspan(1));
      ASSERT_TRUE(message.has_value());
      const auto& finished = std::get<SyncFinished>(message->body);
      EXPECT_EQ(finished.serial, 3);
      EXPECT_EQ(finished.root, stats.digest_root);
      EXPECT_EQ(finished.count, stats.digest_count);
      answered = true;
    }
    EXPECT_TRUE(answered) << lane;
  }
}

// Pages of a range: whoever asks for all that the pages tell of gets every row once.
TEST(SyncLanes, PagesOfARangeAreDealtOut) {
  LanedNode node(NodePair::options_at("a", 1), 3);
  NodePair::teach(node, 0, 1'500);
  std::set<std::string> names;
  std::size_t rows = 0;
  std::uint32_t pages = 1;
  for (std::uint16_t page = 0; page < pages; ++page) {
    ASSERT_LT(page, 64);
    node.take_packets();
    std::array<std::byte, 64> room;
    Writer out(room);
    encode({.exchange = ExchangeId{7}},
           SyncRangeWanted{.first_bucket = 0, .buckets = 4096, .page = page, .sum = 0}, out);
    node.receive(page % 3, out.written());
    const std::vector<SentPacket> packets = node.take_packets();
    ASSERT_EQ(packets.size(), 1u);
    const auto message = decode_sync(Bytes(packets[0].messages.at(0)).subspan(1));
    ASSERT_TRUE(message.has_value());
    const auto& records = std::get<SyncRecords>(message->body);
    EXPECT_EQ(records.range.page, page);
    pages = std::max(pages, records.range.last_page + 1u);
    SyncRecordReader reader(records.records);
    for (SyncRecord record; reader.next(record); ++rows) names.emplace(record.name);
  }
  EXPECT_GT(pages, 3u);
  EXPECT_EQ(rows, 1'501u);
  EXPECT_EQ(names.size(), 1'501u);
}

// Records for other lanes are theirs to apply, and newer ones of ours come back.
TEST(SyncLanes, RecordsFindTheirLane) {
  LanedNode node(NodePair::options_at("a", 1), 4);
  NodePair::teach(node, 0, 20, 9);
  node.take_packets();
  std::array<std::byte, 1400> room;
  Writer out(room);
  encode({.exchange = ExchangeId{7}}, SyncRecords{}, out);
  SyncRecordWriter writer(out);
  std::vector<std::string> names;
  for (int i = 0; i < 40; ++i) names.push_back("member-" + std::to_string(i));
  for (const std::string& name : names) {
    ASSERT_TRUE(writer.add({.name = name,
                            .incarnation = Incarnation{5},
                            .endpoint = {IpAddress::v4(10, 0, 0, 9), 7946},
                            .status_time = LamportTime{1}}));
  }
  node.receive(2, out.written());
  EXPECT_EQ(node.stats().digest_count, 41u);
  EXPECT_EQ(node.stats().counters.sync_rows_in, 40u);
  std::set<std::string> told;
  for (const SentPacket& packet : node.take_packets()) {
    const auto message = decode_sync(Bytes(packet.messages.at(0)).subspan(1));
    ASSERT_TRUE(message.has_value());
    const auto& records = std::get<SyncRecords>(message->body);
    EXPECT_TRUE(records.reply());
    SyncRecordReader reader(records.records);
    for (SyncRecord record; reader.next(record);) {
      EXPECT_EQ(record.incarnation, Incarnation{9});
      told.emplace(record.name);
    }
  }
  EXPECT_EQ(told.size(), 20u) << "those of which more is known here";
}

}  // namespace
}  // namespace starling::test
