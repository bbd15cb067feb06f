#include "agent/resolver.h"

#include <gtest/gtest.h>

namespace starling::agent {
namespace {

using namespace std::chrono_literals;

TEST(Resolver, AnswersInOrderOnTheLoop) {
  EventLoop loop;
  Resolver resolver(loop);
  std::vector<std::string> answers;
  const auto note = [&](const Resolver::Answer& answer) {
    answers.push_back(answer ? format_endpoint(answer->endpoints.at(0)) : answer.error());
    if (answers.size() == 3) loop.stop();
  };
  resolver.resolve("127.0.0.1", 7946, note);
  resolver.resolve("n/127.0.0.2:5", 7946, note);
  resolver.resolve("127.0.0.3:99999", 7946, note);
  EXPECT_TRUE(answers.empty());
  loop.after(5s, [&] { loop.stop(); });
  loop.run();
  EXPECT_EQ(answers, (std::vector<std::string>{"127.0.0.1:7946", "127.0.0.2:5",
                                               "address 99999: invalid port"}));
}

TEST(Resolver, MayGoWithWorkLeft) {
  EventLoop loop;
  bool called = false;
  {
    Resolver resolver(loop);
    for (int i = 0; i < 100; ++i) {
      resolver.resolve("127.0.0.1", 1, [&](const Resolver::Answer&) { called = true; });
    }
  }
  SUCCEED() << called;
}

}  // namespace
}  // namespace starling::agent
