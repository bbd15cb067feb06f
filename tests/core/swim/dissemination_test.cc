#include "core/swim/dissemination.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "core/base/rng.h"
#include "core/swim/scaling.h"
#include "tests/support/alloc_counter.h"
#include "tests/support/arena_block.h"
#include "tests/support/vectors.h"

namespace starling {
namespace {

constexpr DisseminationLimits limits{
    .updates_max = 1000, .subjects_max = 64, .slab_bytes = 1'000'000, .message_bytes_max = 1400};

struct Queue {
  explicit Queue(const DisseminationLimits& chosen = limits)
      : block(Dissemination::footprint(chosen)), queue(block.arena(), chosen) {}
  std::vector<std::string> fetch(FetchLimits fetch_limits) {
    std::vector<std::string> taken;
    queue.fetch(fetch_limits, [&](Bytes message) { taken.emplace_back(as_text(message)); });
    return taken;
  }
  std::vector<std::uint32_t> finished() {
    std::vector<std::uint32_t> tickets;
    queue.drain_finished([&](std::uint32_t ticket) { tickets.push_back(ticket); });
    return tickets;
  }
  test::ArenaBlock block;
  Dissemination queue;
};

using Texts = std::vector<std::string>;
using Tickets = std::vector<std::uint32_t>;

// "m3/20": a message of 20 bytes that starts with its tag.
std::string message_of(std::string tag, std::size_t size) {
  tag.resize(size, '.');
  return tag;
}

TEST(Dissemination, KnowsTheAgeOfTheOldest) {
  using namespace std::chrono_literals;
  Queue q;
  EXPECT_EQ(q.queue.oldest_age(), 0s);
  const auto at = [&](Duration time) { q.queue.set_time(Instant(time)); };
  at(10s);
  q.queue.enqueue(Subject{1}, as_bytes(message_of("old", 30)), 0);
  at(12s);
  q.queue.enqueue(Subject{2}, as_bytes(message_of("young", 20)), 0);
  EXPECT_EQ(q.queue.oldest_age(), 2s);
  // Sent ones stay as old as they are, whatever their place in the order.
  static_cast<void>(q.fetch({.bytes_max = 30, .transmits_max = 3}));
  at(13s);
  EXPECT_EQ(q.queue.oldest_age(), 3s);
  q.queue.enqueue(Subject{1}, as_bytes(message_of("newer", 25)), 0);
  EXPECT_EQ(q.queue.oldest_age(), 1s) << "the old statement about the subject was replaced";
  at(0xffff'ffffs);  // the milliseconds have wrapped around many times
  q.queue.prune(0);
  q.queue.enqueue(no_subject, as_bytes(message_of("last", 20)), 0);
  at(0xffff'ffffs + 5ms);
  EXPECT_EQ(q.queue.oldest_age(), 5ms);
}

TEST(Dissemination, PlaysTheRecordedScenarios) {
  const nlohmann::json& scenarios =
      test::load_vectors("memberlist.json").at("formulas_head").at("queue_scenarios");
  EXPECT_EQ(scenarios.size(), 4u);
  for (const nlohmann::json& scenario : scenarios) {
    SCOPED_TRACE(scenario.at("name"));
    const std::uint32_t transmits_max =
        retransmit_limit(scenario.at("retransmit_mult").get<std::uint32_t>(),
                         scenario.at("num_nodes").get<std::uint32_t>());
    Queue q;
    std::map<std::string, Subject> subjects;
    std::vector<std::string> tags{""};  // by ticket
    Texts finished;
    for (const nlohmann::json& step : scenario.at("steps")) {
      if (step.at("op") == "add") {
        const std::string tag = step.at("tag");
        Subject subject = no_subject;
        if (step.at("kind") == "named") {
          const Subject fresh{static_cast<std::uint32_t>(subjects.size())};
          subject = subjects.try_emplace(step.at("name"), fresh).first->second;
        }
        q.queue.enqueue(subject, as_bytes(message_of(tag, step.at("size"))),
                        static_cast<std::uint32_t>(tags.size()));
        tags.push_back(tag);
      } else {
        Texts expected;
        std::size_t bytes = 0;
        const std::size_t overhead = step.at("overhead");
        for (const std::string result : step.at("result")) {
          const std::size_t slash = result.find('/');
          const std::size_t size = std::stoul(result.substr(slash + 1));
          expected.push_back(message_of(result.substr(0, slash), size));
          bytes += size + overhead;
        }
        Texts taken;
        const std::size_t used = q.queue.fetch(
            {.overhead = overhead, .bytes_max = step.at("limit"), .transmits_max = transmits_max},
            [&](Bytes message) { taken.emplace_back(as_text(message)); });
        EXPECT_EQ(taken, expected) << step;
        EXPECT_EQ(used, bytes) << step;
      }
      for (const std::uint32_t ticket : q.finished()) finished.push_back(tags.at(ticket));
      if (step.contains("finished_so_far")) {
        EXPECT_EQ(finished, step.at("finished_so_far").get<Texts>()) << step;
      }
      EXPECT_EQ(q.queue.size(), step.at("queued_after").get<std::uint32_t>()) << step;
    }
  }
}

// Section 14.4 as plainly as possible: a vector, searched and sorted on every use.
class Model {
 public:
  struct Item {
    std::uint32_t transmits;
    std::uint64_t id;
    std::uint32_t subject;
    std::string message;
    std::uint32_t ticket;
  };

  void replace(std::uint32_t subject) {
    if (subject == static_cast<std::uint32_t>(no_subject)) return;
    const auto same = std::ranges::find(items_, subject, &Item::subject);
    if (same != items_.end()) finish(same);
  }
  void add(std::uint32_t subject, std::string message, std::uint32_t ticket) {
    items_.push_back({0, id_++, subject, std::move(message), ticket});
  }
  Texts fetch(FetchLimits fetch_limits) {
    Texts result;
    std::vector<Item> back;
    if (items_.empty()) return result;
    sort();
    const std::uint32_t last_tier = items_.back().transmits;
    std::size_t used = 0;
    for (std::uint32_t tier = items_.front().transmits; tier <= last_tier;) {
      const auto free = static_cast<long>(fetch_limits.bytes_max) - static_cast<long>(used) -
                        static_cast<long>(fetch_limits.overhead);
      if (free <= 0) break;
      const auto found = std::ranges::find_if(items_, [&](const Item& item) {
        return item.transmits == tier && static_cast<long>(item.message.size()) <= free;
      });
      if (found == items_.end()) {
        ++tier;
        continue;
      }
      result.push_back(found->message);
      used += found->message.size() + fetch_limits.overhead;
      if (found->transmits + 1 >= fetch_limits.transmits_max) {
        finish(found);
      } else {
        ++found->transmits;
        back.push_back(*found);
        items_.erase(found);
      }
    }
    items_.insert(items_.end(), back.begin(), back.end());
    return result;
  }
  void prune(std::size_t keep) {
    sort();
    while (items_.size() > keep) finish(std::prev(items_.end()));
  }
  std::size_t size() const { return items_.size(); }
  Tickets finished() { return std::exchange(finished_, {}); }

 private:
  void sort() {
    std::ranges::sort(items_, [](const Item& a, const Item& b) {
      if (a.transmits != b.transmits) return a.transmits < b.transmits;
      if (a.message.size() != b.message.size()) return a.message.size() > b.message.size();
      return a.id > b.id;
    });
  }
  void finish(std::vector<Item>::iterator item) {
    if (item->ticket != 0) finished_.push_back(item->ticket);
    items_.erase(item);
  }

  std::vector<Item> items_;
  Tickets finished_;
  std::uint64_t id_ = 0;
};

void run_against_model(std::uint64_t seed) {
  SCOPED_TRACE(seed);
  Rng rng(seed);
  DisseminationLimits small = limits;
  small.updates_max = 60;
  Queue q(small);
  Model model;
  const std::size_t sizes = 1 + rng.below<std::size_t>(seed % 2 == 0 ? 6 : 400);
  std::uint32_t ticket = 0;
  for (int step = 0; step < 1500; ++step) {
    const std::uint32_t action = rng.below(100u);
    if (action < 55) {
      const bool named = rng.chance(0.7);
      const std::uint32_t subject =
          named ? rng.below(limits.subjects_max) : static_cast<std::uint32_t>(no_subject);
      const std::string message =
          message_of(std::to_string(step), 4 + rng.below(sizes) * (rng.chance(0.02) ? 3 : 1));
      const std::uint32_t next_ticket = rng.chance(0.5) ? ++ticket : 0;
      q.queue.enqueue(Subject{subject}, as_bytes(message), next_ticket);
      model.replace(subject);
      model.prune(small.updates_max - 1);  // a full queue drops its last one
      model.add(subject, message, next_ticket);
    } else if (action < 98) {
      const FetchLimits fetch_limits{
          .overhead = rng.below<std::size_t>(4),
          .bytes_max = rng.below<std::size_t>(rng.chance(0.5) ? 60 : 1400),
          .transmits_max = rng.below(6u)};
      ASSERT_EQ(q.fetch(fetch_limits), model.fetch(fetch_limits));
    } else {
      const std::uint32_t keep = rng.below(small.updates_max);
      q.queue.prune(keep);
      model.prune(keep);
    }
    ASSERT_EQ(q.queue.size(), model.size());
    ASSERT_EQ(q.finished(), model.finished());
  }
}

TEST(Dissemination, AgreesWithAPlainModelUnderRandomUse) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    run_against_model(seed);
    if (HasFatalFailure()) return;
  }
}

TEST(Dissemination, WhenFullTheMostTransmittedGoesFirst) {
  DisseminationLimits two = limits;
  two.updates_max = 2;
  Queue q(two);
  q.queue.enqueue(Subject{0}, as_bytes("sent once"), 1);
  q.fetch({.bytes_max = 100, .transmits_max = 9});
  q.queue.enqueue(Subject{1}, as_bytes("new"), 2);
  q.queue.enqueue(Subject{2}, as_bytes("newer"), 3);
  EXPECT_EQ(q.finished(), Tickets{1});
  q.queue.enqueue(Subject{3}, as_bytes("newest"), 4);
  EXPECT_EQ(q.finished(), Tickets{2});
  EXPECT_EQ(q.queue.dropped(), 2u);
  EXPECT_EQ(q.fetch({.bytes_max = 100, .transmits_max = 9}), (Texts{"newest", "newer"}));
}

TEST(Dissemination, WhenTheSlabIsFullOlderOnesMakeRoom) {
  DisseminationLimits tight = limits;
  tight.slab_bytes = 256;
  Queue q(tight);
  for (std::uint32_t i = 0; i < 4; ++i) {
    q.queue.enqueue(Subject{i}, as_bytes(std::string(60, 'x')), i + 1);
  }
  EXPECT_EQ(q.queue.dropped(), 0u);
  q.queue.enqueue(Subject{9}, as_bytes(std::string(60, 'y')), 9);
  EXPECT_EQ(q.finished(), Tickets{1});
  EXPECT_EQ(q.queue.size(), 4u);
  // No number of small ones makes a large block: the new one goes, and says so.
  q.queue.enqueue(Subject{10}, as_bytes(std::string(200, 'z')), 10);
  EXPECT_EQ(q.finished().back(), 10u);
}

TEST(Dissemination, AMessageForNoPacketIsDropped) {
  Queue q;
  q.queue.enqueue(Subject{0}, as_bytes(std::string(1400, 'x')), 1);
  EXPECT_EQ(q.queue.size(), 1u);
  q.queue.enqueue(Subject{0}, as_bytes(std::string(1401, 'x')), 2);
  EXPECT_EQ(q.queue.size(), 0u);
  EXPECT_EQ(q.finished(), (Tickets{1, 2}));
}

TEST(Dissemination, FinishedTicketsAreBounded) {
  DisseminationLimits few = limits;
  few.tickets_max = 2;
  Queue q(few);
  for (std::uint32_t ticket = 1; ticket <= 5; ++ticket) {
    q.queue.enqueue(Subject{0}, as_bytes("x"), ticket);
  }
  EXPECT_EQ(q.finished(), (Tickets{1, 2}));
  EXPECT_EQ(q.queue.tickets_lost(), 2u);
}

TEST(Dissemination, AHundredThousandUpdatesCostNoMoreThanAFew) {
  // A search through the queue on every fetch would keep this test busy for minutes.
  DisseminationLimits large = limits;
  large.updates_max = 100'000;
  large.subjects_max = 100'000;
  large.slab_bytes = 100'000 * Slab::block_bytes(100);
  Queue q(large);
  Rng rng(1);
  for (std::uint32_t i = 0; i < large.updates_max; ++i) {
    q.queue.enqueue(Subject{i}, as_bytes(message_of(std::to_string(i), 60 + i % 3)), 0);
  }
  std::uint64_t taken = 0;
  for (std::uint32_t round = 0; round < 20'000; ++round) {
    q.queue.fetch({.overhead = 2, .bytes_max = 1400, .transmits_max = 12}, [&](Bytes) { ++taken; });
    q.queue.enqueue(Subject{rng.below(large.updates_max)},
                    as_bytes(message_of("new", 60 + round % 3)), 0);
  }
  EXPECT_EQ(q.queue.size(), large.updates_max);
  EXPECT_GE(taken, 20'000u * 21);
  EXPECT_EQ(q.queue.dropped(), 0u);
}

TEST(Dissemination, AllocatesNothing) {
  Queue q;
  const std::array<std::byte, 40> message{};
  const test::AllocationCounter allocations;
  for (std::uint32_t i = 0; i < 500; ++i) {
    q.queue.enqueue(Subject{i % 50}, message, i);
    q.queue.fetch({.overhead = 2, .bytes_max = 500, .transmits_max = 3}, [](Bytes) {});
    q.queue.drain_finished([](std::uint32_t) {});
  }
  q.queue.prune(0);
  EXPECT_TRUE(q.queue.empty());
  EXPECT_EQ(allocations.count(), 0u);
}

TEST(DisseminationDeath, ChangingTheQueueDuringAFetchIsOurMistake) {
  Queue q;
  q.queue.enqueue(Subject{0}, as_bytes("x"), 0);
  EXPECT_DEATH(
      q.queue.fetch({.bytes_max = 9, .transmits_max = 9}, [&](Bytes) { q.queue.prune(0); }),
      "CHECK failed");
}

}  // namespace
}  // namespace starling
