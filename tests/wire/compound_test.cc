#include "wire/compound.h"

#include <gtest/gtest.h>

#include "tests/support/alloc_counter.h"
#include "tests/support/vectors.h"

namespace starling {
namespace {

using test::ByteVector;

std::vector<std::string> parts_of(std::string_view body, bool cut_short) {
  const ByteVector bytes = test::from_hex(body);
  std::vector<std::string> parts;
  auto reader = CompoundReader::open(bytes);
  EXPECT_TRUE(reader);
  if (!reader) return parts;
  Bytes part;
  while (reader->next(part)) parts.push_back(test::to_hex(part));
  EXPECT_FALSE(reader->next(part));
  EXPECT_EQ(reader->cut_short(), cut_short);
  return parts;
}

TEST(Compound, ReadsPartsInOrder) {
  const std::vector<std::string> both = {"0801", "080203"};
  EXPECT_EQ(parts_of("02000200030801080203", false), both);
  EXPECT_EQ(parts_of("0200020003080108020399", false), both);  // the rest is ignored
  EXPECT_EQ(parts_of("00", false), std::vector<std::string>());
  EXPECT_EQ(parts_of("0200000001"
                     "0b",
                     false),
            (std::vector<std::string>{"", "0b"}));
}

TEST(Compound, KeepsThePartsBeforeTheOneThatIsCutOff) {
  EXPECT_EQ(parts_of("030002000300010801080203", true),
            (std::vector<std::string>{"0801", "080203"}));
  EXPECT_EQ(parts_of("0200ff0001"
                     "0801",
                     true),
            std::vector<std::string>());
}

TEST(Compound, RefusesAShortTable) {
  for (const std::string_view body : {"", "01", "0100", "03000500"}) {
    const auto reader = CompoundReader::open(test::from_hex(body));
    ASSERT_FALSE(reader) << body;
    EXPECT_EQ(reader.error().fault, WireFault::truncated);
    EXPECT_STREQ(reader.error().layer, "compound");
  }
}

TEST(Compound, BuilderLeavesOnePartBare) {
  std::array<std::byte, 16> room;
  CompoundBuilder none(room);
  EXPECT_EQ(none.size(), 0u);
  EXPECT_TRUE(none.finish().empty());
  CompoundBuilder one(room);
  EXPECT_TRUE(one.add(test::from_hex("0801")));
  EXPECT_EQ(one.size(), 2u);
  EXPECT_EQ(test::to_hex(one.finish()), "0801");
}

TEST(Compound, BuilderFillsTheRoomToTheLastByte) {
  std::array<std::byte, 12> room;
  CompoundBuilder builder(room);
  EXPECT_TRUE(builder.add(test::from_hex("0801")));
  EXPECT_FALSE(builder.add({}));
  EXPECT_FALSE(builder.add(test::from_hex("0802030405")));  // 13 bytes
  EXPECT_TRUE(builder.add(test::from_hex("08020304")));
  EXPECT_EQ(builder.size(), 12u);
  EXPECT_EQ(builder.parts(), 2u);
  EXPECT_FALSE(builder.add(test::from_hex("08")));
  EXPECT_EQ(test::to_hex(builder.finish()), "070200020004080108020304");
}

TEST(Compound, BuilderStopsAt127Parts) {
  ByteVector room(4096);
  CompoundBuilder builder(room);
  const test::AllocationCounter allocations;
  const std::array<std::byte, 2> part{std::byte{8}, std::byte{1}};
  std::size_t added = 0;
  while (added < 1000 && builder.add(part)) ++added;
  const std::size_t announced = builder.size();
  const Bytes message = builder.finish();
  EXPECT_EQ(allocations.count(), 0u);
  EXPECT_EQ(added, compound_parts_max);
  EXPECT_EQ(message.size(), announced);
  auto reader = CompoundReader::open(message.subspan(1));
  ASSERT_TRUE(reader);
  Bytes found;
  std::size_t count = 0;
  for (; reader->next(found); ++count) EXPECT_TRUE(equal(found, part));
  EXPECT_EQ(count, compound_parts_max);
}

TEST(Compound, BuilderRefusesPartsThatTheTableCannotDescribe) {
  ByteVector room(1 << 18);
  const ByteVector large(65'536, std::byte{8});
  CompoundBuilder builder(room);
  EXPECT_FALSE(builder.add(large));
  EXPECT_TRUE(builder.add(Bytes(large).first(65'535)));
}

TEST(CompoundDeathTest, NothingFollowsFinish) {
  std::array<std::byte, 8> room;
  CompoundBuilder builder(room);
  static_cast<void>(builder.finish());
  EXPECT_DEATH(builder.add(as_bytes("x")), "CHECK failed");
}

}  // namespace
}  // namespace starling
