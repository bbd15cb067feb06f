#include "core/swim/member_table.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "core/base/rng.h"
#include "tests/support/alloc_counter.h"
#include "tests/support/arena_block.h"

namespace starling {
namespace {

using namespace std::chrono_literals;

struct Table {
  Table(std::uint32_t members_max, std::size_t slab_bytes)
      : block(MemberTable::footprint(members_max, slab_bytes)),
        table(block.arena(), members_max, slab_bytes) {}
  std::optional<Slot> insert(std::string_view name) { return table.insert(hash_name(name), name); }
  std::optional<Slot> find(std::string_view name) const {
    return table.find(hash_name(name), name);
  }
  test::ArenaBlock block;
  MemberTable table;
};

TEST(MemberTable, ANewRowStartsAsTheProtocolSays) {
  Table t(4, 1000);
  const Slot slot = t.insert("a").value();
  EXPECT_EQ(slot, Slot{0});
  EXPECT_EQ(t.table.state(slot), MemberState::dead);
  EXPECT_EQ(t.table.incarnation(slot), Incarnation{0});
  EXPECT_EQ(t.table.versions(slot), (Versions{0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(t.table.endpoint(slot), Endpoint{});
  EXPECT_FALSE(t.table.listed(slot));
  EXPECT_TRUE(t.table.meta(slot).empty());
  EXPECT_EQ(t.table.name(slot), "a");
  EXPECT_EQ(t.table.hash(slot), hash_name("a"));
}

TEST(MemberTable, ColumnsKeepWhatIsWritten) {
  Table t(4, 1000);
  const Slot a = t.insert("a").value(), b = t.insert("b").value();
  t.table.state(a) = MemberState::suspect;
  t.table.incarnation(a) = Incarnation{7};
  t.table.set_state_changed(a, Instant{} + 3s);
  t.table.endpoint(a) = {.address = IpAddress::v4(10, 0, 0, 1), .port = 7946};
  t.table.versions(a) = Versions{};
  t.table.listed(a) = true;
  ASSERT_TRUE(t.table.set_meta(a, as_bytes("role=web")));

  const MemberTable& read = t.table;
  EXPECT_EQ(read.state(a), MemberState::suspect);
  EXPECT_EQ(read.incarnation(a), Incarnation{7});
  EXPECT_EQ(read.state_changed(a), Instant{} + 3s);
  EXPECT_EQ(read.endpoint(a).port, 7946);
  EXPECT_EQ(read.versions(a), Versions{});
  EXPECT_TRUE(read.listed(a));
  EXPECT_EQ(as_text(read.meta(a)), "role=web");
  EXPECT_EQ(read.state(b), MemberState::dead);

  ASSERT_TRUE(t.table.set_meta(a, as_bytes("x")));
  EXPECT_EQ(as_text(read.meta(a)), "x");
  ASSERT_TRUE(t.table.set_meta(a, {}));
  EXPECT_TRUE(read.meta(a).empty());

  // A reused row remembers nothing.
  t.table.erase(a);
  EXPECT_EQ(t.insert("c"), a);
  EXPECT_EQ(read.state(a), MemberState::dead);
  EXPECT_FALSE(read.listed(a));
  EXPECT_EQ(read.endpoint(a), Endpoint{});
}

TEST(MemberTable, RefusesWhenFullOfRowsOrBytes) {
  Table t(2, 1000);
  ASSERT_TRUE(t.insert("a") && t.insert("b"));
  EXPECT_FALSE(t.insert("c"));
  EXPECT_FALSE(t.find("c"));

  Table small(100, 160);  // 64 bytes for names, 96 for metadata
  ASSERT_TRUE(small.insert("a"));
  EXPECT_FALSE(small.table.set_meta(Slot{0}, as_bytes(std::string(100, 'x'))));
  EXPECT_TRUE(small.table.set_meta(Slot{0}, as_bytes("kept")));
  EXPECT_FALSE(small.table.set_meta(Slot{0}, as_bytes(std::string(100, 'x'))));
  EXPECT_EQ(as_text(small.table.meta(Slot{0})), "kept");
  ASSERT_TRUE(small.insert("b"));
  ASSERT_TRUE(small.insert("c"));
  ASSERT_TRUE(small.insert("d"));
  EXPECT_FALSE(small.insert("e"));
  EXPECT_EQ(small.table.size(), 4u);
  small.table.erase(Slot{1});
  EXPECT_EQ(small.insert("e"), Slot{1});
}

TEST(MemberTable, NamesWithEqualHashesStayApart) {
  Table t(4, 1000);
  const NameHash same{42};
  const Slot a = t.table.insert(same, "a").value();
  const Slot b = t.table.insert(same, "b").value();
  EXPECT_EQ(t.table.find(same, "a"), a);
  EXPECT_EQ(t.table.find(same, "b"), b);
  EXPECT_FALSE(t.table.find(same, "c"));
}

TEST(MemberTable, AgreesWithAMapUnderRandomUse) {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    constexpr std::uint32_t members_max = 300;
    Table t(members_max, 100'000);
    std::map<std::string, std::pair<Slot, std::string>> model;
    for (int step = 0; step < 10'000; ++step) {
      const std::string name = "node-" + std::to_string(rng.below(500));
      const auto known = model.find(name);
      const std::optional<Slot> found = t.find(name);
      ASSERT_EQ(found.has_value(), known != model.end());
      if (known == model.end()) {
        const std::optional<Slot> slot = t.insert(name);
        ASSERT_EQ(slot.has_value(), model.size() < members_max);
        if (slot) model[name] = {*slot, ""};
      } else if (rng.chance(0.4)) {
        ASSERT_EQ(found, known->second.first);
        t.table.erase(*found);
        ASSERT_FALSE(t.table.occupied(*found));
        model.erase(known);
      } else {
        ASSERT_EQ(as_text(t.table.meta(*found)), known->second.second);
        known->second.second = std::string(rng.below(100u), 'm');
        ASSERT_TRUE(t.table.set_meta(*found, as_bytes(known->second.second)));
      }
      ASSERT_EQ(t.table.size(), model.size());
    }
    std::uint32_t end = 0;
    for (const auto& [name, row] : model) end = std::max(end, to_number(row.first) + 1);
    EXPECT_EQ(t.table.slots_end(), Slot{end});
    while (!model.empty()) {
      t.table.erase(model.begin()->second.first);
      model.erase(model.begin());
    }
    EXPECT_EQ(t.table.slots_end(), Slot{0});
    EXPECT_EQ(t.table.slab_used_bytes(), 0u);
  }
}

TEST(MemberTable, AllocatesNothingAndFitsItsFootprint) {
  const std::size_t footprint = MemberTable::footprint(1000, 50'000);
  test::ArenaBlock block(footprint);
  const test::AllocationCounter allocations;
  MemberTable table(block.arena(), 1000, 50'000);
  EXPECT_EQ(block.arena().left(), 0u);
  for (int round = 0; round < 3; ++round) {
    for (char c = 'a'; c <= 'z'; ++c) {
      const std::string_view name(&c, 1);
      ASSERT_TRUE(table.insert(hash_name(name), name));
      table.prefetch(hash_name(name));
      table.prefetch_name(hash_name(name));
    }
    for (char c = 'a'; c <= 'z'; ++c) {
      const std::string_view name(&c, 1);
      table.erase(table.find(hash_name(name), name).value());
    }
  }
  EXPECT_EQ(allocations.count(), 0u);
}

}  // namespace
}  // namespace starling
