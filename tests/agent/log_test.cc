#include "agent/log.h"

#include <gtest/gtest.h>

namespace starling::agent {
namespace {

struct Printed {
  std::vector<std::string> lines;
  Log::Sink sink() {
    return [this](std::string_view line) { lines.emplace_back(line); };
  }
};

TEST(Log, Format) {
  Printed printed;
  Log log(LogLevel::info, printed.sink());
  log.open_gate();
  log.info("agent: {} and {}", 1, "two");
  ASSERT_EQ(printed.lines.size(), 1U);
  // Digits of the time as 0.
  std::string line = printed.lines[0];
  for (std::size_t i = 0; i < std::min<std::size_t>(line.size(), 19); ++i) {
    if (line[i] >= '0' && line[i] <= '9') line[i] = '0';
  }
  EXPECT_EQ(line, "0000/00/00 00:00:00 [INFO] agent: 1 and two");
}

TEST(Log, OneNewlineAtTheEndIsTheLinesOwn) {
  Printed printed;
  Log log(LogLevel::info, printed.sink());
  log.open_gate();
  log.info("a\n\n");
  EXPECT_TRUE(printed.lines.at(0).ends_with("a\n"));
}

TEST(Log, GateHoldsLinesBack) {
  Printed printed;
  Log log(LogLevel::info, printed.sink());
  log.info("first");
  log.debug("below the threshold");
  EXPECT_TRUE(printed.lines.empty());
  log.open_gate();
  ASSERT_EQ(printed.lines.size(), 1U);
  log.warn("second");
  EXPECT_EQ(printed.lines.size(), 2U);
}

TEST(Log, RingKeepsTheLastLinesOfEveryLevel) {
  Log log(LogLevel::err, [](std::string_view) {});
  for (std::size_t i = 0; i < Log::lines_max + 10; ++i) log.debug("line {}", i);
  ASSERT_EQ(log.ring().size(), Log::lines_max);
  EXPECT_TRUE(log.ring().front().text.ends_with("line 10"));
  EXPECT_EQ(log.ring().front().level, LogLevel::debug);
}

TEST(Log, ListenersSeeEverythingUntilForgotten) {
  Log log(LogLevel::err, [](std::string_view) {});
  int seen = 0;
  const Log::ListenerId id = log.listen([&](const LogLine&) {
    ++seen;
    log.info("from inside: dropped");
  });
  log.debug("x");
  EXPECT_EQ(seen, 1);
  EXPECT_EQ(log.ring().size(), 1U);
  log.forget(id);
  log.debug("y");
  EXPECT_EQ(seen, 1);
}

TEST(Log, LinesThatOutsidersCauseAreLimitedByKind) {
  Log log(LogLevel::err, [](std::string_view) {});
  log.refused("no limiter yet").warn("written");
  LogLimiter limiter;
  log.limit_by(&limiter);
  for (unsigned i = 0; i < 5 * LogLimiter::refused_lines_max; ++i) {
    log.refused("wrong").err("serf: wrong {}", i);
    log.told("right").info("serf: right {}", i);
  }
  std::map<std::string, int> lines;
  for (const LogLine& line : log.ring()) {
    ++lines[line.text.find("wrong") != std::string::npos ? "wrong" : "other"];
  }
  EXPECT_GE(lines["wrong"], static_cast<int>(LogLimiter::refused_lines_max));
  EXPECT_LE(lines["wrong"], static_cast<int>(2 * LogLimiter::refused_lines_max));
  EXPECT_EQ(lines["other"], 1 + static_cast<int>(5 * LogLimiter::refused_lines_max));
  std::uint64_t left_out = 0;
  limiter.settle([&](std::string_view kind, std::uint64_t count) {
    EXPECT_EQ(kind, "wrong");
    left_out += count;
  });
  EXPECT_EQ(left_out + static_cast<std::uint64_t>(lines["wrong"]),
            5 * LogLimiter::refused_lines_max);
}

TEST(Log, Levels) {
  EXPECT_EQ(log_level_from("warn"), LogLevel::warn);
  EXPECT_EQ(log_level_from("TRACE"), LogLevel::trace);
  EXPECT_EQ(log_level_from("ZZZ"), std::nullopt);
}

}  // namespace
}  // namespace starling::agent
