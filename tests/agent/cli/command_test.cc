#include "agent/cli/command.h"

#include <cstdlib>
#include <sstream>

#include <gtest/gtest.h>

namespace starling::agent::cli {
namespace {

TEST(RpcFlags, EnvironmentGivesDefaults) {
  unsetenv("SERF_RPC_ADDR");
  unsetenv("SERF_RPC_AUTH");
  EXPECT_EQ(RpcFlags().address, "127.0.0.1:7373");
  EXPECT_EQ(RpcFlags().token, "");
  setenv("SERF_RPC_ADDR", "127.0.0.1:1", 1);
  setenv("SERF_RPC_AUTH", "secret", 1);
  EXPECT_EQ(RpcFlags().address, "127.0.0.1:1");
  EXPECT_EQ(RpcFlags().token, "secret");
  unsetenv("SERF_RPC_ADDR");
  unsetenv("SERF_RPC_AUTH");
}

TEST(ParseFlags, ComplaintToErrHelpToOut) {
  std::ostringstream out;
  std::ostringstream err;
  Console console{.out = out, .err = err};
  FlagSet flags;
  const std::vector<std::string> arguments{"-x"};
  EXPECT_EQ(parse_flags(flags, arguments, "the help", console).error(), 1);
  EXPECT_EQ(err.str(), "flag provided but not defined: -x\n");
  EXPECT_EQ(out.str(), "the help\n");
}

TEST(Refuse, MessageThenHelp) {
  std::ostringstream out;
  Console console{.out = out, .err = out};
  EXPECT_EQ(refuse("No name.", "the help", console), 1);
  EXPECT_EQ(out.str(), "No name.\n\nthe help\n");
}

}  // namespace
}  // namespace starling::agent::cli
