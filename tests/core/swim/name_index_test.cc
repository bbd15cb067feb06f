#include "core/swim/name_index.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "core/base/rng.h"
#include "tests/support/arena_block.h"

namespace starling {
namespace {

TEST(NameIndex, BothWaysOfMatchingTagsAgree) {
  Rng rng(1);
  for (int round = 0; round < 2000; ++round) {
    NameIndex::Group group{};
    for (std::uint8_t& tag : group.tags) tag = static_cast<std::uint8_t>(rng.below(4));
    group.overflowed = static_cast<std::uint16_t>(rng.below(0x10000));
    for (std::uint8_t tag = 0; tag < 4; ++tag) {
      ASSERT_EQ(NameIndex::matches(group, tag), NameIndex::matches_portable(group, tag));
    }
  }
}

// Random insertions and deletions; `spread` bits of the hash vary, so few bits force collisions and
// overflowing groups.
void run_against_map(std::uint64_t seed, std::uint32_t entries_max, std::uint64_t hash_mask) {
  SCOPED_TRACE(seed);
  Rng rng(seed);
  test::ArenaBlock block(NameIndex::footprint(entries_max));
  NameIndex index(block.arena(), entries_max);
  std::map<std::uint32_t, NameHash> kept;  // by slot
  const auto find = [&](NameHash hash, std::uint32_t slot) {
    return index.find(hash, [&](const NameIndex::Entry& entry) {
      return entry.slot == Slot{slot} && entry.name == SlabRef{slot + 1};
    });
  };
  for (int step = 0; step < 20'000; ++step) {
    const std::uint32_t slot = rng.below(entries_max);
    const auto known = kept.find(slot);
    if (known == kept.end()) {
      const NameHash hash{rng.next() & hash_mask};
      ASSERT_EQ(find(hash, slot), no_slot);
      index.prefetch(hash);
      index.insert(hash, {.slot = Slot{slot}, .name = SlabRef{slot + 1}});
      kept.emplace(slot, hash);
      ASSERT_EQ(find(hash, slot), Slot{slot});
    } else {
      ASSERT_EQ(find(known->second, slot), Slot{slot});
      index.erase(known->second, Slot{slot});
      ASSERT_EQ(find(known->second, slot), no_slot);
      kept.erase(known);
    }
  }
  for (const auto& [slot, hash] : kept) ASSERT_EQ(find(hash, slot), Slot{slot});
}

TEST(NameIndex, AgreesWithAMapUnderRandomUse) {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    run_against_map(seed, 500, ~0ull);
    run_against_map(seed, 1, ~0ull);
    run_against_map(seed, 100, 0xf000'0000'0000'0001);  // a few homes, two tags
    run_against_map(seed, 60, 0);                       // one home, one tag
  }
}

TEST(NameIndex, FillsToTheBrimAndForgetsEverything) {
  Rng rng(2);
  constexpr std::uint32_t entries = 10'000;
  test::ArenaBlock block(NameIndex::footprint(entries));
  NameIndex index(block.arena(), entries);
  for (int round = 0; round < 5; ++round) {
    std::vector<NameHash> hashes;
    for (std::uint32_t i = 0; i < entries; ++i) {
      hashes.push_back(NameHash{rng.next()});
      index.insert(hashes[i], {.slot = Slot{i}, .name = SlabRef{1}});
    }
    for (std::uint32_t i = 0; i < entries; ++i) index.erase(hashes[i], Slot{i});
    // No trace of them is left: a search ends in its first group.
    int compared = 0;
    for (std::uint32_t i = 0; i < entries; ++i) {
      index.find(hashes[i], [&](const NameIndex::Entry&) { return ++compared > 0; });
    }
    ASSERT_EQ(compared, 0);
  }
}

// Any range of buckets gives exactly the entries of those buckets, each once, also where groups
// overflow, at the ends of the table and around its end.
void check_buckets(std::uint64_t seed, std::uint32_t entries_max, std::uint64_t hash_mask) {
  SCOPED_TRACE(seed);
  Rng rng(seed);
  test::ArenaBlock block(NameIndex::footprint(entries_max));
  NameIndex index(block.arena(), entries_max);
  std::vector<NameHash> hashes(entries_max);
  std::vector<bool> inside(entries_max, false);
  const auto change = [&](std::uint32_t slot) {
    if (inside[slot]) {
      index.erase(hashes[slot], Slot{slot});
    } else {
      hashes[slot] = NameHash{rng.next() | ~hash_mask};
      index.insert(hashes[slot], {.slot = Slot{slot}, .name = SlabRef{slot + 1}});
    }
    inside[slot] = !inside[slot];
  };
  const auto check = [&](std::size_t first, std::size_t count) {
    std::vector<int> seen(entries_max, 0);
    index.for_each_in_buckets(
        Bucket{static_cast<std::uint16_t>(first)}, count,
        [&](const NameIndex::Entry& entry) { return hashes[index_of(entry.slot)]; },
        [&](const NameIndex::Entry& entry) { ++seen[index_of(entry.slot)]; });
    for (std::uint32_t slot = 0; slot < entries_max; ++slot) {
      const auto bucket = static_cast<std::size_t>(bucket_of(hashes[slot]));
      const bool wanted = inside[slot] && bucket >= first && bucket < first + count;
      ASSERT_EQ(seen[slot], wanted ? 1 : 0) << slot << " in bucket " << bucket;
    }
  };
  for (std::uint32_t slot = 0; slot < entries_max; ++slot) change(slot);
  for (int round = 0; round < 30; ++round) {
    check(0, bucket_count);
    check(0, 0);
    check(0, 1);
    check(bucket_count - 1, 1);
    for (int i = 0; i < 20; ++i) {
      const std::size_t first = rng.below(bucket_count);
      check(first, 1 + rng.below(bucket_count - first));
      check(static_cast<std::size_t>(bucket_of(hashes[rng.below(entries_max)])), 1);
    }
    for (std::uint32_t i = 0; i < entries_max / 4 + 1; ++i) change(rng.below(entries_max));
  }
}

TEST(NameIndex, GivesTheEntriesOfARangeOfBuckets) {
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    check_buckets(seed, 1, ~0ull);
    check_buckets(seed, 30, ~0ull);
    check_buckets(seed, 3000, ~0ull);
    check_buckets(seed, 300, 0x8000'0000'0000'0001);  // two homes: long runs of full groups
    check_buckets(seed, 60, 0);                       // all at the very end of the table
    check_buckets(seed, 300, 0x000f'0000'0000'0001);  // one bucket, the last
  }
}

TEST(NameIndexDeath, ErasingWhatIsNotThereIsOurMistake) {
  test::ArenaBlock block(NameIndex::footprint(10));
  NameIndex index(block.arena(), 10);
  EXPECT_DEATH(index.erase(NameHash{5}, Slot{1}), "CHECK failed");
}

}  // namespace
}  // namespace starling
