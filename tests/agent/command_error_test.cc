#include "agent/command_error.h"

#include <gtest/gtest.h>

namespace starling::agent {
namespace {

std::string error_of(CommandResult result, std::string_view text = "") {
  Event answer;
  answer.kind = Event::Kind::done;
  answer.result = result;
  answer.text = text;
  return command_error(answer, "too slow");
}

TEST(CommandError, NothingWhenItEndedWell) {
  EXPECT_EQ(error_of(CommandResult::ok), "");
  EXPECT_EQ(error_of(CommandResult::already_left), "");
}

TEST(CommandError, EveryOtherResultSaysSomething) {
  EXPECT_EQ(error_of(CommandResult::broadcast_timeout, "other"), "too slow");
  EXPECT_EQ(error_of(CommandResult::leave_in_progress), "Leave already in progress");
  EXPECT_EQ(error_of(CommandResult::name_taken, "in words"), "in words");
  for (int i = 0; i <= static_cast<int>(CommandResult::no_capacity); ++i) {
    const auto result = static_cast<CommandResult>(i);
    if (result == CommandResult::ok || result == CommandResult::already_left) continue;
    EXPECT_NE(error_of(result), "") << i;
  }
}

}  // namespace
}  // namespace starling::agent
