#include "agent/engine_host.h"

#include "tests/agent/engine_fixture.h"

namespace starling::agent {
namespace {

TEST(EngineHost, ReportsItselfAndAnswers) {
  EngineFixture f("a");
  EXPECT_TRUE(f.run_until([&] { return !f.joined.empty(); }));
  EXPECT_EQ(f.joined, std::vector<std::string>{"a"});
  std::optional<std::uint32_t> members;
  OwnedCommand command;
  command.command.kind = Command::Kind::stats;
  f.engine->send(std::move(command), [&](const Event& answer) { members = answer.stats.members; });
  EXPECT_TRUE(f.run_until([&] { return members.has_value(); }));
  EXPECT_EQ(members, 1U);
}

TEST(EngineHost, EveryCommandIsAnsweredEvenWhenTheRingIsFull) {
  EngineFixture f("a");
  constexpr int count = 3000;  // of 600 bytes: more than the command ring holds
  int answered = 0;
  for (int i = 0; i < count; ++i) {
    OwnedCommand command;
    command.command.kind = Command::Kind::user_event;
    command.name = "e";
    command.payload = std::string(600, 'x');  // refused, but it takes its room
    f.engine->send(std::move(command), [&](const Event& answer) {
      EXPECT_EQ(answer.result, CommandResult::too_large);
      ++answered;
    });
  }
  EXPECT_TRUE(f.run_until([&] { return answered == count; })) << answered;
}

TEST(EngineHost, RefusesOptionsThatCannotRun) {
  EventLoop loop;
  EngineOptions options;  // no name
  const auto host = EngineHost::start(options, {}, loop, [](const Event&) {});
  ASSERT_FALSE(host);
  EXPECT_FALSE(host.error().empty());
}

}  // namespace
}  // namespace starling::agent
