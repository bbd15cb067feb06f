#include "core/serf/open_queries.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/core/serf/arena_memory.h"

namespace starling {
namespace {

using OpenVerdict = OpenQueries::Verdict;

struct Table {
  explicit Table(OpenQueryLimits limits)
      : memory(OpenQueries::footprint(limits)), queries(memory.arena(), limits) {}
  OpenQuery* open(std::uint64_t time) { return queries.open({.time = LamportTime{time}}); }
  OpenVerdict note(OpenQuery* query, AnswerKind kind, std::string_view from) {
    return queries.note(*query, kind, hash_name(from));
  }
  test::ArenaMemory memory;
  OpenQueries queries;
};

TEST(OpenQueries, AreFoundByTimeUntilTheyAreClosed) {
  Table table({.queries_max = 2, .answers_max = 4});
  EXPECT_EQ(table.queries.find(LamportTime{0}), nullptr);
  OpenQuery* const one = table.open(5);
  OpenQuery* const two = table.open(6);
  EXPECT_EQ(table.open(7), nullptr);
  EXPECT_EQ(table.queries.find(LamportTime{6}), two);
  EXPECT_EQ(&table.queries.at(one->place), one);
  table.queries.close(*one);
  EXPECT_EQ(table.queries.find(LamportTime{5}), nullptr);
  EXPECT_EQ(table.queries.size(), 1u);
  EXPECT_NE(table.open(7), nullptr);
}

TEST(OpenQueries, EachMemberAcksOnceAndAnswersOnce) {
  Table table({.queries_max = 2, .answers_max = 8});
  OpenQuery* const one = table.open(5);
  OpenQuery* const two = table.open(6);
  EXPECT_EQ(table.note(one, AnswerKind::ack, "a"), OpenVerdict::fresh);
  EXPECT_EQ(table.note(one, AnswerKind::ack, "a"), OpenVerdict::duplicate);
  EXPECT_EQ(table.note(one, AnswerKind::response, "a"), OpenVerdict::fresh);
  EXPECT_EQ(table.note(one, AnswerKind::response, "a"), OpenVerdict::duplicate);
  EXPECT_EQ(table.note(two, AnswerKind::ack, "a"), OpenVerdict::fresh);
  EXPECT_EQ(table.note(one, AnswerKind::ack, "b"), OpenVerdict::fresh);
}

TEST(OpenQueries, AnswersBeyondTheBoundAreRefusedUntilAQueryEnds) {
  Table table({.queries_max = 2, .answers_max = 2});
  OpenQuery* const one = table.open(5);
  EXPECT_EQ(table.note(one, AnswerKind::ack, "a"), OpenVerdict::fresh);
  EXPECT_EQ(table.note(one, AnswerKind::ack, "b"), OpenVerdict::fresh);
  EXPECT_EQ(table.note(one, AnswerKind::ack, "c"), OpenVerdict::no_space);
  EXPECT_EQ(table.note(one, AnswerKind::ack, "a"), OpenVerdict::duplicate);
  table.queries.close(*one);
  OpenQuery* const two = table.open(6);
  EXPECT_EQ(table.note(two, AnswerKind::ack, "a"), OpenVerdict::fresh);
  EXPECT_EQ(table.note(two, AnswerKind::ack, "c"), OpenVerdict::fresh);
  EXPECT_EQ(table.note(two, AnswerKind::ack, "d"), OpenVerdict::no_space);
}

// Against plain sets, with a table that is always nearly full.
TEST(OpenQueries, KeepTheBooksOverManyQueries) {
  constexpr std::size_t answers_max = 32;
  Table table({.queries_max = 4, .answers_max = answers_max});
  std::mt19937 random(5);
  std::vector<std::pair<OpenQuery*, std::set<std::string>>> open;
  std::uint64_t time = 0;
  std::size_t held = 0;
  for (int step = 0; step < 20'000; ++step) {
    if (open.size() < 4 && random() % 8 == 0)
      open.emplace_back(table.open(++time), std::set<std::string>());
    if (open.empty()) continue;
    auto& [query, seen] = open[random() % open.size()];
    if (random() % 40 == 0) {
      held -= seen.size();
      table.queries.close(*query);
      std::erase_if(open, [&](const auto& entry) { return !entry.first->used; });
      continue;
    }
    const bool ack = random() % 2 == 0;
    const std::string name = "m" + std::to_string(random() % 12);
    const std::string key = name + (ack ? "?" : "!");
    const OpenVerdict verdict =
        table.note(query, ack ? AnswerKind::ack : AnswerKind::response, name);
    if (seen.contains(key)) {
      ASSERT_EQ(verdict, OpenVerdict::duplicate) << step;
    } else if (held == answers_max) {
      ASSERT_EQ(verdict, OpenVerdict::no_space) << step;
    } else {
      ASSERT_EQ(verdict, OpenVerdict::fresh) << step;
      seen.insert(key);
      ++held;
    }
  }
}

}  // namespace
}  // namespace starling
