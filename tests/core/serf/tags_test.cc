#include "core/serf/tags.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "tests/support/alloc_counter.h"
#include "tests/support/vectors.h"

namespace starling {
namespace {

using Room = std::array<std::byte, meta_bytes_max>;

std::string written(std::vector<Tag> tags, std::uint8_t protocol = 5) {
  Room room;
  const auto meta = write_tags(tags, protocol, room);
  return meta ? test::to_hex(*meta) : std::string(to_text(meta.error()));
}

TEST(Tags, AreAMapBehindFF) {
  EXPECT_EQ(written({}), "ff80");
  EXPECT_EQ(written({{"k", "v"}}), "ff81a16ba176");
}

TEST(Tags, EqualTagsGiveEqualBytes) {
  EXPECT_EQ(written({{"b", "2"}, {"a", "1"}, {"B", "3"}}),
            written({{"a", "1"}, {"B", "3"}, {"b", "2"}}));
  EXPECT_EQ(written({{"b", "2"}, {"a", "1"}}), "ff82a161a131a162a132");
}

TEST(Tags, ProtocolTwoCarriesOnlyTheRole) {
  EXPECT_EQ(written({{"role", "web"}, {"dc", "east"}}, 2), test::to_hex(as_bytes("web")));
  EXPECT_EQ(written({{"dc", "east"}}, 2), "");
}

TEST(Tags, TheLimitIs512Bytes) {
  // ff 81 a1 6b da xxxx and the value.
  const std::string longest(512 - 7, 'x');
  EXPECT_EQ(written({{"k", longest}}).size(), 1024u);
  EXPECT_EQ(written({{"k", longest + "x"}}), "Encoded length of tags exceeds limit of 512 bytes");
  EXPECT_EQ(written({{"role", std::string(513, 'r')}}, 2),
            "Encoded length of tags exceeds limit of 512 bytes");
  EXPECT_EQ(written({{"role", std::string(512, 'r')}}, 2).size(), 1024u);
}

TEST(Tags, ReadWhatWasWrittenWithoutAllocating) {
  Room room;
  std::array<Tag, 2> tags = {Tag{"role", "web"}, Tag{"dc", "east"}};
  std::array<Tag, 4> out;
  const test::AllocationCounter allocations;
  const Bytes meta = *write_tags(tags, 5, room);
  const TagsRead read = read_tags(meta, out);
  EXPECT_EQ(allocations.count(), 0u);
  EXPECT_TRUE(read.complete);
  ASSERT_EQ(read.count, 2u);
  EXPECT_EQ(out[0].key, "dc");
  EXPECT_EQ(out[1].value, "web");
  EXPECT_EQ(find_tag(meta, "dc"), "east");
  EXPECT_EQ(find_tag(meta, "none"), std::nullopt);
}

TEST(Tags, ABareMetaIsTheRole) {
  std::array<Tag, 2> out;
  const TagsRead read = read_tags(as_bytes("web"), out);
  EXPECT_TRUE(read.complete);
  ASSERT_EQ(read.count, 1u);
  EXPECT_EQ(out[0].key, "role");
  EXPECT_EQ(find_tag({}, "role"), "");
}

TEST(Tags, MoreThanFitIsSaid) {
  Room room;
  std::array<Tag, 3> tags = {Tag{"a", "1"}, Tag{"b", "2"}, Tag{"c", "3"}};
  const Bytes meta = *write_tags(tags, 5, room);
  std::array<Tag, 2> out;
  const TagsRead read = read_tags(meta, out);
  EXPECT_EQ(read.count, 2u);
  EXPECT_FALSE(read.complete);
}

TEST(Tags, OfARepeatedKeyTheLastValueCounts) {
  const test::ByteVector meta = test::from_hex("ff82a16ba131a16ba132");
  std::array<Tag, 2> out;
  const TagsRead read = read_tags(meta, out);
  ASSERT_EQ(read.count, 1u);
  EXPECT_EQ(out[0].value, "2");
  EXPECT_EQ(find_tag(meta, "k"), "2");
}

TEST(Tags, MalformedMetaKeepsWhatWasDecoded) {
  const test::ByteVector meta = test::from_hex("ff82a16ba131a16b");
  std::array<Tag, 2> out;
  const TagsRead read = read_tags(meta, out);
  EXPECT_FALSE(read.complete);
  EXPECT_EQ(read.count, 1u);
  EXPECT_EQ(find_tag(meta, "k"), "1");
}

}  // namespace
}  // namespace starling
