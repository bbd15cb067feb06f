#include "core/digest/rateless.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <vector>

#include "core/base/rng.h"
#include "tests/support/arena_block.h"

namespace starling {
namespace {

using Progress = Decoder::Progress;

std::vector<Symbol> random_symbols(std::size_t count, Rng& rng) {
  std::vector<Symbol> symbols(count);
  for (Symbol& symbol : symbols) symbol = Symbol{rng.next()};
  return symbols;
}

void put(const DigestKey& key, std::span<const Symbol> symbols, std::span<Cell> cells) {
  for (const Symbol symbol : symbols) accumulate(key, symbol, Sign::in, 0, cells);
}

// P(cell i) = 1/(1+i/2), but for a few per cent in the first cells, where a gap is rounded most.
TEST(CellWalk, HasTheDensityOfThePaper) {
  constexpr std::size_t cells = 200;
  constexpr int walks = 40'000;
  std::array<int, cells> hits{};
  Rng rng(1);
  for (int i = 0; i < walks; ++i) {
    std::uint64_t last = 0;
    for (CellWalk walk(rng.next()); walk.cell() < cells; walk.next()) {
      if (walk.cell() > 0) {
        EXPECT_GT(walk.cell(), last);
      }
      last = walk.cell();
      ++hits[walk.cell()];
    }
  }
  EXPECT_EQ(hits[0], walks);
  for (std::size_t i = 1; i < cells; ++i) {
    const double expected = walks / (1 + static_cast<double>(i) / 2);
    EXPECT_NEAR(hits[i], expected, 0.05 * expected + 5 * std::sqrt(expected)) << i;
  }
}

// The places are part of the protocol: another machine or compiler must find the same.
TEST(CellWalk, IsTheSameEverywhere) {
  std::vector<std::uint64_t> cells;
  for (CellWalk walk(0x0123456789abcdef); cells.size() < 12; walk.next())
    cells.push_back(walk.cell());
  EXPECT_EQ(cells.front(), 0U);
  std::uint64_t state = 0x0123456789abcdef, cell = 0;
  for (std::size_t i = 1; i < cells.size(); ++i) {
    state *= 0xda942042e4dd58b5;
    const long double uniform = (static_cast<long double>(state >> 11) + 1) / (1ULL << 53);
    const long double gap = (static_cast<long double>(cell) + 1.5L) * (1 / std::sqrt(uniform) - 1);
    cell += static_cast<std::uint64_t>(gap) + 1;
    EXPECT_EQ(cells[i], cell);
  }
}

TEST(Accumulate, OutUndoesIn) {
  const DigestKey key;
  Rng rng(2);
  std::vector<Cell> cells(300);
  const std::vector<Symbol> symbols = random_symbols(50, rng);
  put(key, symbols, cells);
  EXPECT_EQ(cells[0].count, 50);
  for (const Symbol symbol : symbols) accumulate(key, symbol, Sign::out, 0, cells);
  EXPECT_EQ(cells, std::vector<Cell>(300));
}

TEST(Accumulate, PiecesAreThePrefix) {
  const DigestKey key;
  Rng rng(3);
  std::vector<Cell> whole(500), pieces(500);
  for (const Symbol symbol : random_symbols(100, rng)) {
    accumulate(key, symbol, Sign::in, 0, whole);
    for (std::uint32_t first = 0; first < 500; first += 100) {
      accumulate(key, symbol, Sign::in, first, std::span(pieces).subspan(first, 100));
    }
  }
  EXPECT_EQ(whole, pieces);
}

TEST(EstimateDifference, IsTheFormula) {
  EXPECT_EQ(estimate_difference(0, 512), 0);
  EXPECT_NEAR(estimate_difference(1, 512), 1.001, 0.001);
  EXPECT_NEAR(estimate_difference(90, 512), 98.98, 0.01);
  EXPECT_NEAR(estimate_difference(512, 512), 512 * std::log(1024), 0.1);
  double before = -1;
  for (std::uint32_t x = 0; x <= 512; ++x) {
    EXPECT_GT(estimate_difference(x, 512), before);
    before = estimate_difference(x, 512);
  }
}

struct Sets {
  std::vector<Cell> ours, theirs;
  std::map<Symbol, Holder> difference;

  Sets(std::size_t common, std::size_t ours_alone, std::size_t theirs_alone, std::uint32_t cells,
       std::uint64_t seed, const DigestKey& key)
      : ours(cells), theirs(cells) {
    Rng rng(seed);
    put(key, random_symbols(common, rng), ours);
    theirs = ours;
    for (const Symbol symbol : random_symbols(ours_alone, rng)) {
      accumulate(key, symbol, Sign::in, 0, ours);
      difference[symbol] = Holder::ours;
    }
    for (const Symbol symbol : random_symbols(theirs_alone, rng)) {
      accumulate(key, symbol, Sign::in, 0, theirs);
      difference[symbol] = Holder::theirs;
    }
  }
  void expect_found(std::span<const Difference> found) const {
    ASSERT_EQ(found.size(), difference.size());
    for (const Difference& one : found) {
      const auto at = difference.find(one.symbol);
      ASSERT_NE(at, difference.end());
      EXPECT_EQ(at->second, one.holder);
    }
  }
};

// Gives cells one by one until the difference is known; how many it took.
std::uint32_t decode(Decoder& decoder, const DigestKey& key, const Sets& sets) {
  decoder.begin(key, sets.ours);
  for (std::uint32_t i = 0; i < decoder.cells_max(); ++i) {
    decoder.give(i, sets.theirs[i]);
    const Progress progress = decoder.peel();
    if (progress == Progress::decoded) return i + 1;
    EXPECT_TRUE(progress == Progress::more || i + 1 == decoder.cells_max());
  }
  return 0;
}

struct Space {
  test::ArenaBlock block;
  Decoder decoder;
  explicit Space(std::uint32_t cells)
      : block(DecoderSpace::footprint(cells) + cache_line_bytes),
        decoder(DecoderSpace::make(block.arena(), cells)) {}
};

TEST(Decoder, FindsEveryDifference) {
  const DigestKey key(as_bytes("secret"));
  Space space(12'000);
  for (const std::size_t difference : {0, 1, 2, 3, 5, 10, 33, 100, 500, 1000, 5000}) {
    for (const std::size_t common : {0, 1000, 30'000}) {
      const Sets sets(common, difference - difference / 3, difference / 3, 12'000,
                      difference + common, key);
      EXPECT_GT(decode(space.decoder, key, sets), 0U);
      sets.expect_found(space.decoder.differences());
    }
  }
}

// The paper: 1.35 to 1.72 cells a symbol.
TEST(Decoder, NeedsAsFewCellsAsPublished) {
  const DigestKey key;
  Space space(8192);
  for (const auto& [difference, trials] : std::map<std::size_t, std::uint32_t>{
           {10, 400}, {30, 200}, {100, 100}, {1000, 20}, {5000, 4}}) {
    double cells = 0;
    for (std::uint32_t trial = 0; trial < trials; ++trial) {
      const Sets sets(10, difference / 2, difference - difference / 2, 8192,
                      1000 * difference + trial, key);
      const std::uint32_t took = decode(space.decoder, key, sets);
      ASSERT_GT(took, 0U);
      cells += took;
    }
    const double overhead = cells / trials / static_cast<double>(difference);
    EXPECT_GE(overhead, 1.3) << difference;
    EXPECT_LE(overhead, 1.8) << difference;

    std::printf("difference %zu: %.3f cells a symbol\n", difference, overhead);
  }
}

TEST(Decoder, TakesCellsInAnyOrderAndTwice) {
  const DigestKey key;
  Space space(1024);
  Rng rng(5);
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Sets sets(100, 50, 50, 256, seed, key);
    std::vector<std::uint32_t> order;
    for (std::uint32_t i = 0; i < 256; ++i) order.insert(order.end(), 2, i);
    rng.shuffle(std::span(order));
    space.decoder.begin(key, sets.ours);
    Progress progress = Progress::more;
    for (const std::uint32_t i : order) {
      space.decoder.give(i, sets.theirs[i]);
      progress = space.decoder.peel();
      if (progress != Progress::more) break;
    }
    ASSERT_EQ(progress, Progress::decoded);
    sets.expect_found(space.decoder.differences());
  }
}

TEST(Decoder, SaysWhenAllCellsAreNotEnough) {
  const DigestKey key;
  Space space(64);
  const Sets sets(100, 100, 100, 64, 6, key);
  EXPECT_EQ(decode(space.decoder, key, sets), 0U);
  EXPECT_EQ(space.decoder.peel(), Progress::hopeless);
}

TEST(Decoder, CountsWrapOnTheWire) {
  const DigestKey key;
  Space space(2048);
  Sets sets(0, 700, 300, 2048, 7, key);
  for (Cell& cell : sets.theirs) cell.count &= 0xff;
  EXPECT_GT(decode(space.decoder, key, sets), 0U);
  sets.expect_found(space.decoder.differences());
}

TEST(Decoder, TheCheckIsKeyed) {
  Space space(256);
  const Sets sets(0, 3, 0, 256, 8, DigestKey(as_bytes("one")));
  EXPECT_EQ(decode(space.decoder, DigestKey(as_bytes("other")), sets), 0U);
  EXPECT_TRUE(space.decoder.differences().empty());
}

// A symbol in a cell where it does not belong, with the right check.
TEST(Decoder, RefusesASymbolInTheWrongCell) {
  const DigestKey key;
  Space space(64);
  const Symbol symbol{12345};
  std::set<std::uint64_t> places;
  for (CellWalk walk(key.hash(symbol)); walk.cell() < 64; walk.next()) places.insert(walk.cell());
  const std::vector<Cell> ours(64);
  for (std::uint32_t i = 0; i < 64; ++i) {
    space.decoder.begin(key, ours);
    space.decoder.give(i, {to_number(symbol), check_of(key.hash(symbol)), 1});
    EXPECT_EQ(space.decoder.peel() == Progress::hopeless, !places.contains(i));
  }
}

// The same symbol again and again, however often it was taken out.
TEST(Decoder, RefusesASymbolFoundBefore) {
  const DigestKey key;
  Space space(64);
  const Symbol symbol{999};
  std::vector<std::uint32_t> places;
  for (CellWalk walk(key.hash(symbol)); walk.cell() < 64; walk.next()) {
    places.push_back(static_cast<std::uint32_t>(walk.cell()));
  }
  ASSERT_GE(places.size(), 2U);
  const std::vector<Cell> ours(64);
  space.decoder.begin(key, ours);
  space.decoder.give(places[0], {to_number(symbol), check_of(key.hash(symbol)), 1});
  EXPECT_EQ(space.decoder.peel(), Progress::decoded);
  // The peer takes its word back: seen from here the symbol is ours now.
  space.decoder.give(places[1], {0, 0, 0});
  EXPECT_EQ(space.decoder.peel(), Progress::hopeless);
}

// Whatever the cells are, peeling ends and finds no more than there are cells.
TEST(Decoder, LiesCostBoundedWork) {
  const DigestKey key;
  Space space(512);
  Rng rng(9);
  for (int trial = 0; trial < 300; ++trial) {
    Sets sets(10, rng.below(100U), rng.below(100U), 512, rng.next(), key);
    for (Cell& cell : sets.theirs) {
      if (!rng.chance(0.2)) continue;
      const Symbol symbol{rng.below<std::uint64_t>(20)};
      cell = {to_number(symbol), check_of(key.hash(symbol)),
              static_cast<std::int32_t>(rng.below(3U))};
    }
    space.decoder.begin(key, sets.ours);
    for (std::uint32_t i = 0; i < 512; ++i) {
      space.decoder.give(i, sets.theirs[i]);
      if (space.decoder.peel() == Progress::hopeless) break;
      ASSERT_LE(space.decoder.differences().size(), i + 1U);
    }
  }
}

TEST(Decoder, TheStackServesAsWell) {
  const DigestKey key;
  SmallDecoderSpace<32> memory;
  Decoder decoder(memory.space());
  const Sets sets(1000, 4, 4, 64, 10, key);
  EXPECT_GT(decode(decoder, key, sets), 0U);
  EXPECT_EQ(decoder.cells_max(), 32U);
  sets.expect_found(decoder.differences());
}

}  // namespace
}  // namespace starling
