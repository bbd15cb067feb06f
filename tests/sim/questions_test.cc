#include "sim/questions.h"

#include <gtest/gtest.h>

#include "tests/sim/nodes.h"

namespace starling::sim {
namespace {

using std::chrono::seconds;

class QuestionsTest : public testing::Test {
 protected:
  QuestionsTest() {
    for (const NodeId node : world_.all_nodes()) world_.start(node);
    world_.run_until(world_.now() + seconds(20));
  }
  // Asks and waits until the time is over.
  void ask(const Question& question) {
    ASSERT_TRUE(questions_.ask(a, question));
    world_.run_until(world_.now() + seconds(20));
    EXPECT_TRUE(queries_.is_over(question.name));
    EXPECT_EQ(world_.checkers().violations().count(), 0U);
  }

  World world_{{.seed = 4, .nodes = 4, .swim = {}, .serf = {}, .label = {}}};
  Questions questions_{world_, Random(9)};
  const QueryChecker& queries_ = world_.checkers().queries();
};

TEST_F(QuestionsTest, EverybodyHearsAndSomeAnswer) {
  std::size_t answers = 0;
  for (int i = 0; i < 10; ++i) {
    const std::string name = "q" + std::to_string(i);
    ask({.name = name, .payload = "p", .timeout = seconds(3), .relay_factor = 2});
    EXPECT_EQ(queries_.heard_by(name), 4U) << name;
    answers += queries_.responses(name);
  }
  // One in ten says too much, one in five is late and perhaps too late.
  EXPECT_GT(answers, 20U);
  EXPECT_LT(answers, 40U);
  EXPECT_GT(world_.report()[Count::answers_refused], 0U);
}

TEST_F(QuestionsTest, ByNamesOnlyTheyHear) {
  ask({.name = "q", .payload = "p", .nodes = {b, c}, .timeout = seconds(3)});
  EXPECT_EQ(queries_.heard_by("q"), 2U);
}

TEST_F(QuestionsTest, ByTagOnlyOneAnswers) {
  std::uint64_t acks = 0;
  for (int i = 0; i < 5; ++i) {
    const std::string name = "q" + std::to_string(i);
    ask({.name = name, .payload = "p", .tagged = b, .timeout = seconds(3)});
    EXPECT_LE(queries_.responses(name), 1U);
    EXPECT_EQ(world_.report()[Count::query_acks], ++acks);
  }
}

TEST_F(QuestionsTest, NobodyIsAskedByOneWhoDoesNotRun) {
  world_.stop(a, false);
  EXPECT_FALSE(questions_.ask(a, {.name = "q"}));
  EXPECT_EQ(queries_.question("q"), nullptr);
}

}  // namespace
}  // namespace starling::sim
