#include "agent/swarm/view.h"

#include <gtest/gtest.h>

#include <sstream>

#include "agent/swarm/figures.h"
#include "tests/agent/swarm/small_swarm.h"

namespace starling::agent::swarm {
namespace {

class Viewing : public testing::Test {
 protected:
  Viewing() : plan_(make_plan(small_options("kill 3; partition 1m; leave 1"), 2)) {
    result_.engines.resize(3);
    for (Snapshot& engine : result_.engines) engine.stats.members_alive = 60;
    result_.timeline.take(Instant{} + std::chrono::hours(1), result_.engines, {});
    result_.build_up.converged = true;
    result_.acts.push_back(
        {.act = plan_.options.acts[0], .passed = true, .verdict = "all is well"});
    picture_ = {.plan = &plan_,
                .so_far = &result_,
                .elapsed = std::chrono::seconds(3'661),
                .doing = "partition 1m",
                .progress = 0.5,
                .doing_for = std::chrono::seconds(30),
                .bound = std::chrono::seconds(60)};
  }
  std::string page(FrameSize size, bool coloured) {
    std::string text;
    for (const std::string& line : frame(picture_, size, coloured)) text += line + "\n";
    return text;
  }
  SwarmPlan plan_;
  RunResult result_;
  Picture picture_;
};

TEST_F(Viewing, FitsEverySize) {
  for (const FrameSize size : {FrameSize{80, 24}, {120, 40}, {40, 10}, {1, 1}, {200, 60}}) {
    const auto lines = frame(picture_, size, true);
    EXPECT_LE(lines.size(), size.rows);
    for (const std::string& line : lines) EXPECT_EQ(columns_of(line), size.columns) << line;
  }
}

TEST_F(Viewing, ShowsWhatMatters) {
  const std::string text = page({80, 24}, false);
  for (const std::string_view part :
       {"60 members", "3 engines", "01:01:01", "partition 1m", "50.0 %", "all 3 engines agree",
        "✓ kill 3", "all is well", "▸ partition 1m", "leave 1", "of at most 60.0 s"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
  EXPECT_EQ(text.find('\x1b'), std::string::npos) << "no colours were asked for";
  EXPECT_NE(page({80, 24}, true).find("\x1b[32m"), std::string::npos);
}

TEST_F(Viewing, ShowsDisagreement) {
  result_.engines[1].stats.members_alive = 59;
  EXPECT_NE(page({80, 24}, false).find("2 views, the most common of 2 of 3 engines"),
            std::string::npos);
}

TEST_F(Viewing, DrawsAtMostFiveTimesASecond) {
  std::ostringstream out;
  const Instant begin = Instant{} + std::chrono::hours(1);
  {
    View view(out, {.page = true, .coloured = false, .descriptor = -1});
    for (int ms = 0; ms < 1'000; ms += 10) {
      view.show(picture_, begin + std::chrono::milliseconds(ms));
    }
  }
  const std::string text = out.str();
  std::size_t pages = 0;
  for (std::size_t found = text.find("\x1b[H"); found != std::string::npos;
       found = text.find("\x1b[H", found + 1)) {
    ++pages;
  }
  EXPECT_EQ(pages, 5u);
  EXPECT_TRUE(text.starts_with("\x1b[?1049h"));
  EXPECT_TRUE(text.ends_with("\x1b[?1049l\x1b[?25h")) << "the terminal is as it was";
}

TEST_F(Viewing, LinesSayEachThingOnce) {
  std::ostringstream out;
  View view(out, {});
  const Instant begin = Instant{} + std::chrono::hours(1);
  for (int ms = 0; ms < 4'000; ms += 100) {
    view.show(picture_, begin + std::chrono::milliseconds(ms));
  }
  EXPECT_EQ(out.str(), "01:01:01  passed kill 3: all is well\n" + progress_line(picture_) + "\n");
  view.show(picture_, begin + std::chrono::seconds(6));
  EXPECT_TRUE(out.str().ends_with(progress_line(picture_) + "\n" + progress_line(picture_) + "\n"));
}

}  // namespace
}  // namespace starling::agent::swarm
