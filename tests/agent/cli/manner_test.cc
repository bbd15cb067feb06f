// How every command tells its errors: as Serf, with -strict, and in JSON.
#include <map>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "agent/cli/command.h"
#include "tests/agent/cli/replay.h"

namespace starling::agent::cli {
namespace {

using Words = std::vector<std::string>;

struct Said {
  int status;
  std::string out, err;
};

Said said(const std::string& command, Words arguments) {
  arguments.insert(arguments.begin(), command);
  std::ostringstream out, err;
  Console console{.out = out, .err = err};
  const int status = run(arguments, console);
  return {status, out.str(), err.str()};
}

// What makes a command of those that talk to an agent ask it; nobody listens there.
const std::map<std::string, Words>& askers() {
  static const std::map<std::string, Words> all{
      {"event", {"deploy"}}, {"explain", {"x"}}, {"force-leave", {"x"}}, {"host", {"x"}},
      {"hosted", {}},        {"info", {}},       {"join", {"x"}},        {"keys", {}},
      {"leave", {}},         {"members", {}},    {"monitor", {}},        {"query", {"uptime"}},
      {"reachability", {}},  {"rtt", {"x"}},     {"tags", {}},           {"top", {}},
      {"unhost", {"x"}},
  };
  return all;
}
// Flags without which they would not.
Words needed(const std::string& command) {
  if (command == "keys") return {"-list"};
  if (command == "tags") return {"-set=a=b"};
  if (command == "top") return {"-count=1"};
  return {};
}

Words asking(const std::string& command, const Words& manner) {
  Words arguments{"-rpc-addr=127.0.0.1:1"};
  arguments.insert(arguments.end(), manner.begin(), manner.end());
  for (const Words& more : {needed(command), askers().at(command)}) {
    arguments.insert(arguments.end(), more.begin(), more.end());
  }
  return arguments;
}

std::string error_in(const std::string& text) {
  const auto document = nlohmann::json::parse(text, nullptr, false);
  if (!document.is_object() || !document.contains("error") || !document["error"].is_string()) {
    return "no error: " + text;
  }
  return document["error"];
}

TEST(Manner, EveryCommandThatTakesStrictIsInTheTable) {
  for (const Command& command : all_commands()) {
    const bool strict = std::ranges::any_of(
        command.help.flags, [](const FlagDescription& flag) { return flag.text.name == "strict"; });
    EXPECT_EQ(strict, askers().contains(std::string(command.name))) << command.name;
  }
}

class Askers : public testing::TestWithParam<std::string> {};

TEST_P(Askers, SayAsSerfThatNobodyAnswers) {
  const Said plain = said(GetParam(), asking(GetParam(), {}));
  EXPECT_EQ(plain.status, 1);
  EXPECT_TRUE(plain.out.starts_with("Error connecting to starling agent: ")) << plain.out;
  EXPECT_EQ(plain.err, "");
}

TEST_P(Askers, SayItStrictlyOnTheStandardError) {
  const Said strict = said(GetParam(), asking(GetParam(), {"-strict"}));
  EXPECT_EQ(strict.status, 1);
  EXPECT_EQ(strict.out, "");
  EXPECT_TRUE(strict.err.starts_with("Error connecting to starling agent: ")) << strict.err;
}

TEST_P(Askers, SayItInJson) {
  const Said json = said(GetParam(), asking(GetParam(), {"-format=json"}));
  EXPECT_EQ(json.status, 1);
  EXPECT_TRUE(error_in(json.out).starts_with("Error connecting")) << json.out;
  EXPECT_EQ(json.err, "");
  const Said strict = said(GetParam(), asking(GetParam(), {"-strict", "-format", "json"}));
  EXPECT_EQ(strict.status, 1);
  EXPECT_EQ(strict.out, "");
  EXPECT_TRUE(error_in(strict.err).starts_with("Error connecting")) << strict.err;
}

TEST_P(Askers, RefuseAnUnknownFlagInEveryManner) {
  const Said plain = said(GetParam(), {"-nonsense"});
  EXPECT_EQ(plain.status, 1);
  EXPECT_EQ(plain.err, "flag provided but not defined: -nonsense\n");
  EXPECT_TRUE(plain.out.starts_with("Usage: starling " + GetParam())) << plain.out;
  for (const Words& arguments : {Words{"-strict", "-nonsense"}, Words{"-nonsense", "-strict"}}) {
    const Said strict = said(GetParam(), arguments);
    EXPECT_EQ(strict.status, 1);
    EXPECT_EQ(strict.out, "");
    EXPECT_TRUE(strict.err.starts_with("flag provided but not defined: -nonsense\nUsage: "));
  }
  for (const Words& arguments :
       {Words{"-format=json", "-nonsense"}, Words{"-nonsense", "-format=json"}}) {
    const Said json = said(GetParam(), arguments);
    EXPECT_EQ(json.status, 1);
    EXPECT_EQ(error_in(json.out), "flag provided but not defined: -nonsense");
    EXPECT_EQ(json.err, "");
  }
}

TEST_P(Askers, RefuseAnUnknownFormat) {
  // info, members, query and hosted ask the agent first, as Serf's do.
  const Words late{"hosted", "info", "members", "query"};
  if (std::ranges::find(late, GetParam()) != late.end()) return;
  const Said plain = said(GetParam(), asking(GetParam(), {"-format=yaml"}));
  EXPECT_EQ(plain.status, 1);
  EXPECT_NE(plain.out.find("nvalid output format \"yaml\""), std::string::npos) << plain.out;
  const Said strict = said(GetParam(), asking(GetParam(), {"-strict", "-format=yaml"}));
  EXPECT_EQ(strict.out, "");
  EXPECT_NE(strict.err.find("nvalid output format \"yaml\""), std::string::npos) << strict.err;
}

TEST_P(Askers, RefuseMissingArgumentsInEveryManner) {
  if (askers().at(GetParam()).empty() && needed(GetParam()).empty()) return;  // they need none
  if (GetParam() == "top") return;                                            // nor does this one
  const Said plain = said(GetParam(), {});
  EXPECT_EQ(plain.status, 1);
  EXPECT_NE(plain.out.find("Usage: starling " + GetParam()), std::string::npos) << plain.out;
  EXPECT_EQ(plain.err, "");
  const Said strict = said(GetParam(), {"-strict"});
  EXPECT_EQ(strict.status, 1);
  EXPECT_EQ(strict.out, "");
  EXPECT_EQ(strict.err, plain.out);
  const Said json = said(GetParam(), {"-format=json"});
  EXPECT_EQ(json.status, 1);
  EXPECT_FALSE(error_in(json.out).starts_with("no error")) << json.out;
}

std::string camel(const std::string& name) {
  std::string out;
  for (const char c : name) out += c == '-' ? '_' : c;
  return out;
}
std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const auto& [name, arguments] : askers()) all.push_back(name);
  return all;
}
INSTANTIATE_TEST_SUITE_P(All, Askers, testing::ValuesIn(names()),
                         [](const auto& name) { return camel(name.param); });

TEST(Manner, APayloadThatLooksLikeAFlagIsOne) {
  const Said plain = said("event", {"-rpc-addr=127.0.0.1:1", "deploy", "-strict"});
  EXPECT_EQ(plain.err, "");
  EXPECT_TRUE(plain.out.starts_with("Error connecting")) << plain.out;
}

}  // namespace
}  // namespace starling::agent::cli
