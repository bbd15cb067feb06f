#include "agent/retry_join.h"

#include <gtest/gtest.h>

namespace starling::agent {
namespace {

using namespace std::chrono_literals;

struct RetryJoinFixture {
  EventLoop loop;
  Log log{LogLevel::err, [](std::string_view) {}};
  int tries = 0;
  int works_at = 0;  // 0: never
  bool exhausted = false;
  RetryJoin retry(int tries_max) {
    return RetryJoin(
        loop, log,
        [this](std::vector<std::string> targets, bool, const RetryJoin::Done& done) {
          EXPECT_EQ(targets, std::vector<std::string>{"x"});
          const bool works = ++tries == works_at;
          done(works ? 1 : 0, works ? "" : "refused");
        },
        {.targets = {"x"}, .replay = false, .interval = 1ms, .tries_max = tries_max},
        [this] { exhausted = true; });
  }
  void wait() {
    for (int i = 0; i < 30; ++i) loop.turn(2ms);
  }
};

// A maximum of N allows N + 1 tries.
TEST(RetryJoin, GivesUp) {
  RetryJoinFixture f;
  RetryJoin retry = f.retry(1);
  retry.start();
  f.wait();
  EXPECT_EQ(f.tries, 2);
  EXPECT_TRUE(f.exhausted);
}

TEST(RetryJoin, StopsWhenItWorks) {
  RetryJoinFixture f;
  f.works_at = 3;
  RetryJoin retry = f.retry(0);
  retry.start();
  f.wait();
  EXPECT_EQ(f.tries, 3);
  EXPECT_FALSE(f.exhausted);
  EXPECT_TRUE(f.log.ring().back().text.ends_with(
      "[INFO] agent: Join completed. Synced with 1 initial agents"));
}

}  // namespace
}  // namespace starling::agent
