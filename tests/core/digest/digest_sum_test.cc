#include "core/digest/digest_sum.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "tests/support/digest_marks.h"

namespace starling {
namespace {

using test::random_marks;
using test::Table;

TEST(DigestSum, TablesAddUp) {
  const auto marks = random_marks(900, 3);
  Table whole;
  std::array<Table, 3> parts;
  whole.digest.add_all(marks);
  for (std::size_t i = 0; i < marks.size(); ++i) parts[i % 3].digest.add(marks[i]);
  const std::array<const DigestTable*, 3> tables{&parts[0].digest, &parts[1].digest,
                                                 &parts[2].digest};
  const DigestSum sum(tables);
  EXPECT_EQ(sum.root(), whole.digest.root());
  for (std::uint32_t i = 0; i < bucket_count; ++i) {
    const Bucket bucket{static_cast<std::uint16_t>(i)};
    ASSERT_EQ(sum.sum(bucket, 1), whole.digest.sum(bucket, 1));
  }
  ASSERT_EQ(sum.cells(), 100u);
  for (const std::uint32_t first : {0u, 1u, 99u}) {
    std::array<Cell, 100> room;
    const std::span<Cell> cells = std::span(room).first(100 - first);
    EXPECT_EQ(sum.copy_cells(first, cells), whole.digest.root());
    EXPECT_TRUE(std::ranges::equal(cells, whole.digest.cells().subspan(first)));
  }
}

TEST(DigestSum, FoldsByAddition) {
  Table table(0);
  table.digest.add_all(random_marks(5000, 5));
  const std::array<const DigestTable*, 1> tables{&table.digest};
  const DigestSum digest(tables);
  for (std::uint32_t log2 = 0; log2 <= bucket_bits; ++log2) {
    const std::uint32_t groups = 1U << log2, width = bucket_count >> log2;
    std::vector<std::uint8_t> bytes(groups);
    std::vector<std::uint16_t> words(groups);
    digest.fold(log2, 0, log2 % 8, bytes);
    digest.fold(log2, 0, words);
    std::uint64_t total = 0;
    for (std::uint32_t i = 0; i < groups; ++i) {
      const std::uint64_t sum = digest.sum(Bucket{static_cast<std::uint16_t>(i * width)}, width);
      total += sum;
      ASSERT_EQ(bytes[i], sum >> (8 * (log2 % 8)) & 0xff);
      ASSERT_EQ(words[i], sum & 0xffff);
    }
    EXPECT_EQ(total, digest.root().sum);
    std::vector<std::uint8_t> half(groups / 2);
    digest.fold(log2, groups - groups / 2, log2 % 8, half);
    EXPECT_TRUE(std::equal(half.begin(), half.end(), bytes.end() - groups / 2));
  }
}

// Cells that were copied while rows changed are those of one instant: what they differ by from the
// rows that stay is nothing, or one row that came and went.
TEST(DigestSum, CellsAreOfOneInstantWhileRowsChange) {
  constexpr std::uint32_t cells_count = 64;
  const auto steady = random_marks(50, 1);
  const auto passing = random_marks(64, 2);
  Table ours(cells_count), theirs(cells_count);
  ours.digest.add_all(steady);
  theirs.digest.add_all(steady);
  const std::array<const DigestTable*, 1> tables{&theirs.digest};
  const DigestSum sum(tables);

  std::atomic<bool> stop{false};
  std::jthread writer([&] {
    for (std::size_t i = 0; !stop.load(std::memory_order_relaxed); ++i) {
      theirs.digest.add(passing[i % passing.size()]);
      // Without a rest no copy would ever find an instant in which nothing changes.
      std::this_thread::sleep_for(std::chrono::microseconds(50));
      theirs.digest.remove(passing[i % passing.size()]);
    }
  });
  test::ArenaBlock block(DecoderSpace::footprint(cells_count) + cache_line_bytes);
  Decoder decoder(DecoderSpace::make(block.arena(), cells_count));
  int whole = 0, wrong = 0;
  for (int copy = 0; copy < 2'000; ++copy) {
    std::array<Cell, cells_count> cells;
    const Root root = sum.copy_cells(0, cells);
    decoder.begin(ours.digest.key(), ours.digest.cells());
    for (std::uint32_t i = 0; i < cells_count; ++i) decoder.give(i, cells[i]);
    if (decoder.peel() != Decoder::Progress::decoded) continue;
    const std::size_t differences = decoder.differences().size();
    const bool right = differences <= 1 && root.count == 50 + differences;
    ++(right ? whole : wrong);
  }
  stop.store(true, std::memory_order_relaxed);
  // All four tries meet a change, of a microsecond, only when the system stops the writer in it.
  EXPECT_GT(whole, 1'000);
  EXPECT_LE(wrong, 2);
}

}  // namespace
}  // namespace starling
