#include "agent/signals.h"

#include <csignal>

#include <gtest/gtest.h>

namespace starling::agent {
namespace {

TEST(Signals, ArriveAsReads) {
  sigset_t before;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  {
    Signals signals;
    EXPECT_EQ(signals.take(), std::nullopt);
    raise(SIGHUP);
    raise(SIGINT);
    std::optional<int> first = signals.take();
    std::optional<int> second = signals.take();
    ASSERT_TRUE(first && second);
    EXPECT_EQ(*first + *second, SIGHUP + SIGINT);
    EXPECT_EQ(signals.take(), std::nullopt);
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST(Signals, GosWords) {
  EXPECT_EQ(signal_text(SIGINT), "interrupt");
  EXPECT_EQ(signal_text(SIGTERM), "terminated");
  EXPECT_EQ(signal_text(SIGHUP), "hangup");
}

}  // namespace
}  // namespace starling::agent
