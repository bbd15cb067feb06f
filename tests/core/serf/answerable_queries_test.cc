#include "core/serf/answerable_queries.h"

#include <gtest/gtest.h>

#include "tests/core/serf/arena_memory.h"

namespace starling {
namespace {

struct Table {
  explicit Table(AnswerableQueryLimits limits)
      : memory(AnswerableQueries::footprint(limits)), queries(memory.arena(), limits) {}
  test::ArenaMemory memory;
  AnswerableQueries queries;
};

TEST(AnswerableQueries, AreFoundByTheirNumberOnly) {
  Table table({.queries_max = 4, .name_bytes_max = 8});
  EXPECT_EQ(table.queries.find(0), nullptr);
  EXPECT_EQ(table.queries.find(1), nullptr);
  const std::uint64_t first =
      table.queries.add({.time = LamportTime{7}, .id = 9, .answered = true}, "one").number;
  const std::uint64_t second = table.queries.add({.id = 10}, "a long name").number;
  EXPECT_NE(first, second);
  AnswerableQuery* const query = table.queries.find(first);
  ASSERT_NE(query, nullptr);
  EXPECT_EQ(query->id, 9u);
  EXPECT_EQ(to_number(query->time), 7u);
  EXPECT_FALSE(query->answered);
  EXPECT_EQ(table.queries.source(*query), "one");
  EXPECT_EQ(table.queries.source(*table.queries.find(second)), "a long n");
  EXPECT_EQ(table.queries.find(second + 1), nullptr);
}

TEST(AnswerableQueries, NewerOnesTakeThePlaceOfTheOldest) {
  Table table({.queries_max = 2, .name_bytes_max = 8});
  const std::uint64_t first = table.queries.add({.id = 1}, "a").number;
  const std::uint64_t second = table.queries.add({.id = 2}, "b").number;
  const std::uint64_t third = table.queries.add({.id = 3}, "c").number;
  EXPECT_EQ(table.queries.find(first), nullptr);
  EXPECT_EQ(table.queries.find(second)->id, 2u);
  EXPECT_EQ(table.queries.source(*table.queries.find(third)), "c");
}

}  // namespace
}  // namespace starling
