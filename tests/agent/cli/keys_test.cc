#include "tests/agent/cli/replay.h"

namespace starling::agent::cli {
namespace {

std::vector<std::string> sorted_lines(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  std::ranges::sort(lines);
  return lines;
}

// Go prints members and keys in random order.
TEST(KeysCommand, AsRecorded) {
  for (const char* name :
       {"cli:keys_list", "cli:keys_install_bad", "cli:keys_install", "cli:keys_list_ok",
        "cli:keys_install_ok", "cli:keys_use_ok", "cli:keys_use_missing", "cli:keys_remove_ok",
        "cli:keys_remove_absent"}) {
    SCOPED_TRACE(name);
    const nlohmann::json exchange = rpc_exchange(name);
    const Outcome outcome = replay(exchange, keys_command());
    EXPECT_EQ(outcome.status, exchange["exit"].get<int>());
    EXPECT_EQ(outcome.out.size(), exchange["stdout"].get<std::string>().size());
    EXPECT_EQ(sorted_lines(outcome.out), sorted_lines(exchange["stdout"].get<std::string>()));
    EXPECT_EQ(outcome.sent, from_hex(exchange["request_stream_hex"]));
  }
}

TEST(KeysCommand, OneActionAtATime) {
  const Outcome two = run_command(keys_command(), {"-list", "-use", "x"});
  EXPECT_EQ(two.status, 1);
  EXPECT_EQ(two.out, "Only one of -install, -use, -remove, or -list allowed\n");
  const Outcome none = run_command(keys_command(), {});
  EXPECT_EQ(none.status, 1);
  EXPECT_TRUE(none.out.starts_with("Usage: starling keys"));
}

}  // namespace
}  // namespace starling::agent::cli
