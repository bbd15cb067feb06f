#include "core/swim/meta_store.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "core/base/rng.h"
#include "tests/support/alloc_counter.h"
#include "tests/support/arena_block.h"

namespace starling {
namespace {

struct Store {
  Store(std::uint32_t members_max, std::size_t slab_bytes)
      : block(MetaStore::footprint(members_max, slab_bytes)),
        metas(block.arena(), members_max, slab_bytes) {}
  std::optional<SlabRef> put(std::string_view text) { return metas.put(as_bytes(text)); }
  std::string_view get(SlabRef ref) const { return as_text(metas.get(ref)); }
  void release(SlabRef ref) { metas.release(ref); }
  test::ArenaBlock block;
  MetaStore metas;
};

TEST(MetaStore, KeepsEqualBytesOnce) {
  Store s(100, 10'000);
  const SlabRef web = s.put("role=web").value();
  const std::size_t one = s.metas.slab_used_bytes();
  EXPECT_EQ(s.put("role=web"), web);
  EXPECT_EQ(s.metas.slab_used_bytes(), one);
  const SlabRef db = s.put("role=db").value();
  EXPECT_NE(db, web);
  EXPECT_EQ(s.get(web), "role=web");
  EXPECT_EQ(s.get(db), "role=db");
  EXPECT_EQ(s.metas.shared_count(), 2u);

  s.release(web);
  EXPECT_EQ(s.get(web), "role=web") << "one user is left";
  s.release(web);
  EXPECT_EQ(s.metas.shared_count(), 1u);
  s.release(db);
  EXPECT_EQ(s.metas.slab_used_bytes(), 0u);
  EXPECT_EQ(s.metas.shared_count(), 0u);
  EXPECT_EQ(s.get(s.put("").value()), "");
}

TEST(MetaStore, AFullBucketMeansACopyOfOnesOwn) {
  Store s(1, 100'000);  // one bucket
  std::vector<SlabRef> first;
  for (std::size_t i = 0; i < MetaStore::places_per_bucket; ++i) {
    first.push_back(s.put("meta " + std::to_string(i)).value());
  }
  const SlabRef own = s.put("one too many").value();
  const SlabRef copy = s.put("one too many").value();
  EXPECT_NE(own, copy);
  EXPECT_EQ(s.metas.shared_count(), MetaStore::places_per_bucket);
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(s.put("meta " + std::to_string(i)), first[i]);
  }
  s.release(own);
  EXPECT_EQ(s.get(copy), "one too many");
  // A place becomes free: the next of these bytes is found again.
  s.release(first[3]);
  s.release(first[3]);
  const SlabRef shared = s.put("one too many").value();
  EXPECT_NE(shared, copy);
  EXPECT_EQ(s.put("one too many"), shared);
  s.release(copy);
  EXPECT_EQ(s.get(shared), "one too many");
}

TEST(MetaStore, SharesWhatItHasWhenTheSlabIsFull) {
  Store s(100, 64);
  const std::string meta(40, 'm');
  const SlabRef ref = s.put(meta).value();
  EXPECT_FALSE(s.put(std::string(41, 'm')));
  EXPECT_EQ(s.put(meta), ref);
  EXPECT_FALSE(s.put(std::string(MetaStore::bytes_max + 1, 'm')));
}

TEST(MetaStore, AgreesWithAMapUnderRandomUse) {
  for (const std::uint32_t members_max : {1u, 64u, 2000u}) {
    Rng rng(members_max);
    Store s(members_max, 1 << 20);
    std::vector<std::pair<SlabRef, std::string>> users;
    for (int step = 0; step < 20'000; ++step) {
      if (users.empty() || rng.chance(0.5)) {
        const std::string text = "tags " + std::to_string(rng.below(200));
        users.emplace_back(s.put(text).value(), text);
      } else {
        const std::size_t which = rng.below(users.size());
        ASSERT_EQ(s.get(users[which].first), users[which].second);
        s.release(users[which].first);
        users[which] = users.back();
        users.pop_back();
      }
    }
    for (const auto& [ref, text] : users) {
      ASSERT_EQ(s.get(ref), text);
      s.release(ref);
    }
    EXPECT_EQ(s.metas.slab_used_bytes(), 0u);
    EXPECT_EQ(s.metas.shared_count(), 0u);
  }
}

TEST(MetaStore, AllocatesNothing) {
  Store s(100, 10'000);
  const test::AllocationCounter allocations;
  const SlabRef ref = s.put("role=web").value();
  s.put("role=web");
  s.release(ref);
  EXPECT_EQ(allocations.count(), 0u);
}

}  // namespace
}  // namespace starling
