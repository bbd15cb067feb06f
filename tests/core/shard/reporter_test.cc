// What the owner hears when it drains slowly.
#include "core/shard/reporter.h"

#include <gtest/gtest.h>

#include "tests/support/arena_block.h"

namespace starling {
namespace {

class SlowOwner : public testing::Test {
 protected:
  SlowOwner()
      : memory_(16 << 20),
        ring_(make_ring(memory_.arena(), 2048)),
        reader_(std::move(ring_.second)),
        members_(memory_.arena(), 64, 1 << 16),
        serf_(memory_.arena(), 64),
        reporter_(memory_.arena(), 64, EventWriter(std::move(ring_.first))) {
    for (int i = 0; i < 64; ++i) {
      const std::string name = "member-" + std::to_string(i);
      slots_.push_back(*members_.insert(hash_name(name), name));
      serf_.joined(slots_.back(), Instant{});
    }
  }
  void report(std::size_t i, std::optional<MemberEventKind> change) {
    reporter_.member(Instant{}, members_, serf_, slots_[i], change, counters_);
  }
  // Everything the owner sees until nothing more comes.
  std::vector<std::pair<std::string, std::optional<MemberEventKind>>> drain_all() {
    std::vector<std::pair<std::string, std::optional<MemberEventKind>>> seen;
    for (int i = 0; i < 1000; ++i) {
      const std::size_t before = seen.size();
      reader_.drain(100, [&](const Event& event) { seen.emplace_back(event.name, event.change); });
      reporter_.flush(Instant{}, members_, serf_);
      if (seen.size() == before && reporter_.calm()) break;
    }
    return seen;
  }

  test::ArenaBlock memory_;
  std::pair<RingWriter, RingReader> ring_;
  EventReader reader_;
  MemberTable members_;
  SerfMembers serf_;
  Reporter reporter_;
  Counters counters_;
  std::vector<Slot> slots_;
};

TEST_F(SlowOwner, HearsOfEveryMemberOnce) {
  for (std::size_t i = 0; i < slots_.size(); ++i) report(i, MemberEventKind::join);
  EXPECT_GT(counters_.events_deferred, 0u) << "the ring must have been too small";
  EXPECT_FALSE(reporter_.calm());
  const auto seen = drain_all();
  ASSERT_EQ(seen.size(), slots_.size());
  for (std::size_t i = 0; i < seen.size(); ++i) {
    EXPECT_EQ(seen[i].first, "member-" + std::to_string(i));
    EXPECT_EQ(seen[i].second, MemberEventKind::join);
  }
}

TEST_F(SlowOwner, HearsTheNewestChangeOfAMemberThatHadToWait) {
  for (std::size_t i = 0; i < slots_.size(); ++i) report(i, MemberEventKind::join);
  ASSERT_TRUE(reporter_.pending(slots_[63]));
  report(63, MemberEventKind::failed);
  report(63, std::nullopt);  // a mere status must not hide the failure
  const auto seen = drain_all();
  ASSERT_EQ(seen.size(), slots_.size());
  EXPECT_EQ(seen.back().second, MemberEventKind::failed);
  EXPECT_FALSE(reporter_.pending(slots_[63]));
}

TEST_F(SlowOwner, LosesTracesBeforeMembers) {
  for (int i = 0; i < 100; ++i) {
    reporter_.trace(Instant{}, TraceKind::probe, {.name = "x"}, counters_);
  }
  EXPECT_GT(counters_.traces_lost, 0u);
  report(0, MemberEventKind::join);
  EXPECT_FALSE(reporter_.pending(slots_[0])) << "there was room left for it";
}

TEST_F(SlowOwner, HearsOnlyTheTracesItWants) {
  reporter_.want_traces(trace_bit(TraceKind::refuted));
  reporter_.trace(Instant{}, TraceKind::probe, {.name = "x"}, counters_);
  reporter_.trace(Instant{}, TraceKind::refuted, {.name = "y"}, counters_);
  std::vector<TraceKind> seen;
  reader_.drain(10, [&](const Event& event) { seen.push_back(event.trace); });
  EXPECT_EQ(seen, std::vector{TraceKind::refuted});
  EXPECT_EQ(counters_.traces_lost, 0u) << "nobody wanted it";
}

}  // namespace
}  // namespace starling
