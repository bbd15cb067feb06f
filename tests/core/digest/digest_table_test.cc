#include "core/digest/digest_table.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/digest_marks.h"

namespace starling {
namespace {

using test::random_marks;
using test::Table;

void expect_equal(const DigestTable& a, const DigestTable& b) {
  EXPECT_EQ(a.root(), b.root());
  for (std::uint32_t i = 0; i < bucket_count; ++i) {
    const Bucket bucket{static_cast<std::uint16_t>(i)};
    ASSERT_EQ(a.sum(bucket, 1), b.sum(bucket, 1));
    ASSERT_EQ(a.count(bucket), b.count(bucket));
  }
  EXPECT_TRUE(std::ranges::equal(a.cells(), b.cells()));
}

TEST(DigestTable, ForgetsNothingAndKeepsNothing) {
  const auto marks = random_marks(500, 1);
  const auto news = random_marks(500, 2);
  Table table, expected;
  for (const Mark& mark : marks) table.digest.add(mark);
  EXPECT_EQ(table.digest.count(), 500U);
  for (std::size_t i = 0; i < 500; ++i) table.digest.replace(marks[i], news[i]);
  for (std::size_t i = 500; i-- > 0;) expected.digest.add(news[i]);
  expect_equal(table.digest, expected.digest);
  for (const Mark& mark : news) table.digest.remove(mark);
  expect_equal(table.digest, Table().digest);
}

TEST(DigestTable, AllAtOnceIsTheSame) {
  for (const std::size_t count : {0, 1, 3, 4, 5, 1001}) {
    const auto marks = random_marks(count, count);
    Table one_by_one, at_once;
    for (const Mark& mark : marks) one_by_one.digest.add(mark);
    at_once.digest.add_all(marks);
    expect_equal(one_by_one.digest, at_once.digest);
  }
}

// A sum, unlike an exclusive or, knows what is in it twice.
TEST(DigestTable, TwiceIsNotNever) {
  const auto marks = random_marks(1, 4);
  Table table;
  table.digest.add(marks[0]);
  table.digest.add(marks[0]);
  EXPECT_NE(table.digest.root().sum, 0U);
}

TEST(DigestTable, CellsTellTablesApart) {
  const auto marks = random_marks(20'000, 6);
  Table ours(100), theirs(100);
  ours.digest.add_all(marks);
  theirs.digest.add_all(marks);
  const auto changed = random_marks(20, 7);
  for (std::size_t i = 0; i < 20; ++i) theirs.digest.replace(marks[i * 1000], changed[i]);
  test::ArenaBlock block(DecoderSpace::footprint(100) + cache_line_bytes);
  Decoder decoder(DecoderSpace::make(block.arena(), 100));
  decoder.begin(ours.digest.key(), ours.digest.cells());
  for (std::uint32_t i = 0; i < 100; ++i) decoder.give(i, theirs.digest.cells()[i]);
  ASSERT_EQ(decoder.peel(), Decoder::Progress::decoded);
  EXPECT_EQ(decoder.differences().size(), 40U);
}

TEST(DigestTable, AnotherKeyEmptiesIt) {
  Table table;
  table.digest.add_all(random_marks(10, 8));
  table.digest.rekey(DigestKey(as_bytes("new")));
  expect_equal(table.digest, Table().digest);
  EXPECT_EQ(table.digest.key().hash(Symbol{1}), DigestKey(as_bytes("new")).hash(Symbol{1}));
}

}  // namespace
}  // namespace starling
