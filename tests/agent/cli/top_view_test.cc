#include "agent/cli/top_view.h"

#include <gtest/gtest.h>

#include "agent/swarm/figures.h"

namespace starling::agent::cli {
namespace {

using namespace std::chrono_literals;

Stats answer(int pings, int bytes_out) {
  return {{"agent", {{"name", "a"}}},
          {"serf",
           {{"members", "10"},
            {"failed", "2"},
            {"left", "1"},
            {"health_score", "1"},
            {"event_queue", "3"}}},
          {"starling",
           {{"pings_sent", std::to_string(pings)},
            {"bytes_out", std::to_string(bytes_out)},
            {"hosted", "4"},
            {"leaving", "1"},
            {"membership_queue", "5"},
            {"membership_queue_age_ms", "1500"},
            {"suspicions", "1"},
            {"syncs_equal", "7"},
            {"syncs_differing", "0"}}},
          {"suspicions", {{"x", "2.000 s, by b, c"}}}};
}

TEST(TopView, RatesAreSinceTheLookBefore) {
  const TopFigures first = top_figures(answer(100, 5000), std::nullopt, Duration{});
  EXPECT_EQ(first.probes, 0);
  const TopFigures second = top_figures(answer(130, 9000), answer(100, 5000), 2s);
  EXPECT_EQ(second.probes, 15);
  EXPECT_EQ(second.bytes_out, 2000);
  // An agent that was started again counts from zero.
  EXPECT_EQ(top_figures(answer(1, 1), answer(100, 5000), 2s).probes, 0);
}

TEST(TopView, MembersByState) {
  const TopFigures figures = top_figures(answer(0, 0), std::nullopt, Duration{});
  EXPECT_EQ(figures.node, "a");
  EXPECT_EQ(figures.members, 10u);
  EXPECT_EQ(figures.alive, 6u);
  EXPECT_EQ(figures.leaving, 1u);
  EXPECT_EQ(figures.failed, 2u);
  EXPECT_EQ(figures.left, 1u);
  EXPECT_EQ(figures.hosted, 4u);
  EXPECT_EQ(figures.health, 1);
}

TEST(TopView, AFrameFitsTheTerminal) {
  const TopFigures figures = top_figures(answer(130, 9000), answer(100, 5000), 2s);
  const auto whole = top_frame(figures, {.columns = 100, .rows = 40}, false);
  std::string text;
  for (const std::string& line : whole) text += line + "\n";
  EXPECT_NE(text.find("6 alive, 1 leaving, 2 failed, 1 left"), std::string::npos) << text;
  EXPECT_NE(text.find("5 members (1.5 s), 0 intents, 3 events (0.0 s), 0 queries"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("2.000 s, by b, c"), std::string::npos) << text;
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  for (const bool coloured : {false, true}) {
    const auto small = top_frame(figures, {.columns = 20, .rows = 6}, coloured);
    EXPECT_LE(small.size(), 6u);
    for (const std::string& line : small) EXPECT_LE(swarm::columns_of(line), 20u) << line;
  }
}

TEST(TopView, NothingIsNeededOfAnAnswer) {
  const TopFigures figures = top_figures({}, Stats{}, 1s);
  EXPECT_EQ(figures.members, 0u);
  EXPECT_FALSE(top_frame(figures, {}, false).empty());
  EXPECT_EQ(top_json(figures)["members"]["alive"], 0);
}

TEST(TopView, ALineAndAnObject) {
  const TopFigures figures = top_figures(answer(130, 9000), answer(100, 5000), 2s);
  EXPECT_TRUE(top_line(figures).starts_with(
      "a: 6 alive, 1 leaving, 2 failed, 1 left, 1 suspected, health 1"));
  const auto json = top_json(figures);
  EXPECT_EQ(json["per_second"]["probes"], 15.0);
  EXPECT_EQ(json["digests"]["equal"], 7);
  EXPECT_EQ(json["oldest_queued_ms"]["membership"], 1500);
  EXPECT_EQ(json["suspected"]["x"], "2.000 s, by b, c");
}

}  // namespace
}  // namespace starling::agent::cli
