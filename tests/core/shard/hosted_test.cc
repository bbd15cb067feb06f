// Places, names and rows of hosted members.
#include "core/shard/hosted.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "core/base/rng.h"
#include "tests/support/arena_block.h"

namespace starling::test {
namespace {

constexpr std::uint32_t places = 64;
constexpr std::uint32_t rows = 256;
const Endpoint somewhere{IpAddress::v4(10, 0, 0, 1), 7946};

class HostedTest : public testing::Test {
 protected:
  HostedTest()
      : memory_(HostedMembers::footprint(places, rows)), hosted_(memory_.arena(), places, rows) {}
  Hosted* add(std::string_view name) { return hosted_.add(name, somewhere, 8); }

  ArenaBlock memory_;
  HostedMembers hosted_;
};

TEST_F(HostedTest, FindsByNameAndByRowUntilRemoved) {
  Hosted* a = add("a");
  Hosted* b = add("b");
  ASSERT_NE(a, nullptr);
  EXPECT_EQ(hosted_.find("a"), a);
  EXPECT_EQ(hosted_.find("b"), b);
  EXPECT_EQ(hosted_.find("c"), nullptr);
  hosted_.settle(*b, Slot{7});
  EXPECT_EQ(hosted_.of(Slot{7}), b);
  EXPECT_EQ(hosted_.of(Slot{0}), nullptr);
  hosted_.remove(*b);
  EXPECT_EQ(hosted_.find("b"), nullptr);
  EXPECT_EQ(hosted_.of(Slot{7}), nullptr);
  EXPECT_EQ(hosted_.size(), 1u);
}

TEST_F(HostedTest, RefusesWhenAllPlacesAreTakenAndFillsTheLowestFirst) {
  for (std::uint32_t i = 0; i < places; ++i) {
    ASSERT_NE(add("m" + std::to_string(i)), nullptr);
  }
  EXPECT_EQ(add("one more"), nullptr);
  hosted_.remove(*hosted_.find("m9"));
  hosted_.remove(*hosted_.find("m3"));
  EXPECT_EQ(add("x")->id, HostedId{3});
  EXPECT_EQ(add("y")->id, HostedId{9});
  EXPECT_EQ(add("z"), nullptr);
}

TEST_F(HostedTest, SpeaksThroughTheFirstThatDoesNotLeave) {
  EXPECT_EQ(hosted_.speaker(), nullptr);
  Hosted* a = add("a");
  Hosted* b = add("b");
  EXPECT_EQ(hosted_.speaker(), a);
  a->leave = LeaveStage::intent;
  EXPECT_EQ(hosted_.speaker(), b);
  b->leave = LeaveStage::left;
  EXPECT_EQ(hosted_.speaker(), a) << "when all leave, the first still answers";
  hosted_.remove(*a);
  EXPECT_EQ(hosted_.speaker(), b);
}

TEST_F(HostedTest, AgreesWithAMapOverRandomComingsAndGoings) {
  Rng rng(42);
  std::map<std::string, std::uint32_t> expected;  // name to row
  for (int step = 0; step < 20'000; ++step) {
    const std::string name = "n" + std::to_string(rng.below(100));
    const auto known = expected.find(name);
    Hosted* const found = hosted_.find(name);
    ASSERT_EQ(found != nullptr, known != expected.end()) << name << " at step " << step;
    if (found != nullptr) {
      ASSERT_EQ(hosted_.name(*found), name);
      ASSERT_EQ(to_number(found->slot), known->second);
      if (rng.below(2) == 0) {
        hosted_.remove(*found);
        expected.erase(known);
      }
    } else if (Hosted* fresh = add(name)) {
      const std::uint32_t row = to_number(fresh->id) * 3;
      hosted_.settle(*fresh, Slot{row});
      expected.emplace(name, row);
    } else {
      ASSERT_EQ(expected.size(), places);
    }
    ASSERT_EQ(hosted_.size(), expected.size());
  }
}

}  // namespace
}  // namespace starling::test
