#include "core/base/ring.h"

#include <gtest/gtest.h>

#include <deque>
#include <thread>
#include <vector>

#include "core/base/rng.h"
#include "tests/support/alloc_counter.h"
#include "tests/support/arena_block.h"

namespace starling {
namespace {

struct Pair {
  explicit Pair(std::size_t bytes)
      : block(ring_footprint(bytes)), ends(make_ring(block.arena(), bytes)) {}
  RingWriter& writer() { return ends.first; }
  RingReader& reader() { return ends.second; }
  test::ArenaBlock block;
  std::pair<RingWriter, RingReader> ends;
};

std::vector<std::byte> numbered(std::uint64_t number, std::size_t size) {
  std::vector<std::byte> bytes(size);
  Rng(number).fill(bytes);
  return bytes;
}

TEST(Ring, RecordsArriveInOrderOnlyAfterTheirCommit) {
  Pair ring(256);
  EXPECT_TRUE(ring.reader().empty());
  const MutableBytes claim = ring.writer().claim(10);
  ASSERT_EQ(claim.size(), 10u);
  EXPECT_TRUE(ring.reader().empty());
  claim[0] = std::byte{1};
  ring.writer().commit(1);
  EXPECT_FALSE(ring.reader().empty());
  EXPECT_TRUE(ring.writer().write(as_bytes("two")));

  std::vector<std::string> seen;
  const auto keep = [&](Bytes record) { seen.emplace_back(as_text(record)); };
  EXPECT_EQ(ring.reader().drain(1, keep), 1u);
  EXPECT_EQ(ring.reader().drain(8, keep), 1u);
  EXPECT_EQ(ring.reader().drain(8, keep), 0u);
  EXPECT_EQ(seen, (std::vector<std::string>{"\x01", "two"}));
}

TEST(Ring, AnUncommittedClaimIsForgotten) {
  Pair ring(256);
  EXPECT_EQ(ring.writer().claim(100).size(), 100u);
  EXPECT_EQ(ring.writer().claim(3).size(), 3u);
  ring.writer().commit(0);
  std::size_t bytes = 99;
  ring.reader().drain(9, [&](Bytes record) { bytes = record.size(); });
  EXPECT_EQ(bytes, 0u);
}

TEST(Ring, RecordsStartOnEightByteBorders) {
  Pair ring(512);
  for (const std::string_view text : {"a", "four", "exactly8", "nine byte"}) {
    ASSERT_TRUE(ring.writer().write(as_bytes(text)));
  }
  ring.reader().drain(
      9, [](Bytes record) { EXPECT_EQ(reinterpret_cast<std::uintptr_t>(record.data()) % 8, 0u); });
}

TEST(Ring, RoomIsExactlyWhatAClaimGets) {
  Rng rng(1);
  Pair ring(256);
  bool was_full = false, was_roomy = false;
  for (int step = 0; step < 5000; ++step) {
    const std::size_t room = ring.writer().room();
    if (room > 0) {
      ASSERT_EQ(ring.writer().claim(room).size(), room);
      was_roomy = true;
    }
    if (room < ring.writer().record_bytes_max()) {
      ASSERT_TRUE(ring.writer().claim(room + 1).empty());
      was_full = true;
    }
    const std::size_t size = 1 + rng.below<std::size_t>(60);
    ASSERT_EQ(ring.writer().write(numbered(1, size)), size <= room);
    if (rng.chance(0.5)) ring.reader().drain(rng.below<std::size_t>(4), [](Bytes) {});
  }
  EXPECT_TRUE(was_full && was_roomy);
}

TEST(Ring, OneThreadAgreesWithAQueue) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    Pair ring(64u << rng.below(6));
    std::deque<std::vector<std::byte>> expected;
    std::uint64_t number = 0, lost = 0;
    const std::size_t longest = ring.writer().record_bytes_max();
    for (int step = 0; step < 3000; ++step) {
      if (rng.chance(0.5)) {
        const std::size_t claimed = 1 + rng.below(longest);
        const MutableBytes room = ring.writer().claim(claimed);
        if (room.empty()) {
          ++lost;
          continue;
        }
        const std::vector<std::byte> record = numbered(++number, rng.below(claimed + 1));
        std::copy(record.begin(), record.end(), room.begin());
        ring.writer().commit(record.size());
        expected.push_back(record);
      } else {
        ring.reader().drain(rng.below<std::size_t>(4), [&](Bytes record) {
          ASSERT_FALSE(expected.empty());
          ASSERT_TRUE(equal(record, expected.front()));
          expected.pop_front();
        });
      }
    }
    EXPECT_GT(lost, 0u);
    ring.reader().drain(10'000, [&](Bytes) { expected.pop_front(); });
    EXPECT_TRUE(expected.empty());
  }
}

TEST(Ring, AnEmptyRingTakesTheLongestRecordAtEveryPosition) {
  Pair ring(128);
  for (std::size_t step = 0; step < 200; ++step) {
    const std::size_t size = step % 2 == 0 ? ring.writer().record_bytes_max() : 1 + step % 40;
    ASSERT_TRUE(ring.writer().write(numbered(step, size)));
    ASSERT_EQ(ring.reader().drain(2, [&](Bytes record) { ASSERT_EQ(record.size(), size); }), 1u);
  }
}

TEST(Ring, TwoThreadsPassEveryRecordOnce) {
  Pair ring(1024);
  constexpr std::uint64_t records = 20'000;
  std::thread writer([&] {
    for (std::uint64_t number = 0; number < records;) {
      const std::size_t size = 8 + number % 90;
      const MutableBytes room = ring.writer().claim(size + 16);
      if (room.empty()) {
        std::this_thread::yield();
        continue;
      }
      const std::vector<std::byte> record = numbered(number, size);
      std::copy(record.begin(), record.end(), room.begin());
      ring.writer().commit(size);
      ++number;
    }
  });
  std::uint64_t number = 0, wrong = 0;
  while (number < records) {
    const std::size_t drained = ring.reader().drain(16, [&](Bytes record) {
      wrong += equal(record, numbered(number, 8 + number % 90)) ? 0 : 1;
      ++number;
    });
    if (drained == 0) std::this_thread::yield();
  }
  writer.join();
  EXPECT_EQ(wrong, 0u);
  EXPECT_TRUE(ring.reader().empty());
}

TEST(Ring, AllocatesNothing) {
  Pair ring(256);
  const test::AllocationCounter allocations;
  for (int i = 0; i < 100; ++i) {
    ring.writer().write(as_bytes("record"));
    ring.reader().drain(4, [](Bytes) {});
  }
  EXPECT_EQ(allocations.count(), 0u);
}

TEST(RingDeath, ARecordThatCanNeverFitIsOurMistake) {
  Pair ring(64);
  EXPECT_DEATH(ring.writer().claim(25), "CHECK failed");
  EXPECT_DEATH(ring.writer().claim(0), "CHECK failed");
  EXPECT_DEATH(ring.writer().commit(1), "CHECK failed");
}

}  // namespace
}  // namespace starling
