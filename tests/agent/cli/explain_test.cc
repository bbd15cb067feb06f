#include "tests/agent/cli/replay.h"

namespace starling::agent::cli {
namespace {

Outcome explained(const Stats& answer, const std::string& error,
                  const std::vector<std::string>& more) {
  std::string bytes;
  append(bytes, ResponseHeader{.error = "", .sequence = 1});
  append(bytes, ResponseHeader{.error = error, .sequence = 2});
  append_stats(bytes, answer);
  OneShotServer server(bytes, SIZE_MAX);
  std::vector<std::string> arguments{"-rpc-addr=" + server.address(), "x"};
  arguments.insert(arguments.begin(), more.begin(), more.end());
  return run_command(explain_command(), arguments);
}

const Stats suspect{{"member",
                     {{"name", "x"},
                      {"status", "alive"},
                      {"status_time", "4"},
                      {"address", "127.0.0.1:7946"},
                      {"state", "suspect"},
                      {"changed_s", "2.500"},
                      {"incarnation", "3"},
                      {"listed", "true"},
                      {"hosted", "false"}}},
                    {"suspicion",
                     {{"since_s", "2.500"},
                      {"ends_in_s", "1.000"},
                      {"confirmations", "1"},
                      {"confirmations_needed", "2"},
                      {"accusers", "b, c"}}},
                    {"probe", {{"ago_s", "0.100"}, {"result", "unanswered"}}},
                    {"history", {{"01", "9.000 joined"}, {"02", "2.500 suspected by b"}}}};

TEST(ExplainCommand, TellsAStory) {
  const Outcome outcome = explained(suspect, "", {});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.out,
            "x is alive, status time 4\n"
            "  address      127.0.0.1:7946\n"
            "  state        suspect since 2.500 s, incarnation 3\n"
            "  last probe   0.100 s ago, unanswered\n"
            "  suspicion    since 2.500 s, accused by b, c, ends in 1.000 s, 1 of 2 confirmations\n"
            "  seen lately\n"
            "       9.000 s ago  joined\n"
            "       2.500 s ago  suspected by b\n");
}

TEST(ExplainCommand, SaysThatItHasSeenMore) {
  Stats more = suspect;
  more["history_limit"] = {{"dropped", "12"}};
  EXPECT_NE(explained(more, "", {}).out.find("  seen lately, after 12 that are no longer kept\n"),
            std::string::npos);
  const auto shown = nlohmann::json::parse(explained(more, "", {"-format=json"}).out);
  EXPECT_EQ(shown["history_limit"]["dropped"], 12);
}

TEST(ExplainCommand, AsJson) {
  const Outcome outcome = explained(suspect, "", {"-format=json"});
  const nlohmann::json shown = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(shown["member"]["name"], "x");
  EXPECT_EQ(shown["member"]["incarnation"], 3);
  EXPECT_EQ(shown["member"]["listed"], true);
  EXPECT_EQ(shown["suspicion"]["ends_in_s"], 1.0);
  EXPECT_EQ(shown["history"][1]["what"], "suspected by b");
  EXPECT_EQ(shown["history"][1]["ago_s"], 2.5);
}

TEST(ExplainCommand, AnUnknownNameIsAnError) {
  const Outcome text = explained({}, "no member is known by the name \"x\"", {});
  EXPECT_EQ(text.status, 1);
  EXPECT_EQ(text.out, "Error explaining x: no member is known by the name \"x\"\n");
  const Outcome strict = explained({}, "no", {"-strict", "-format=json"});
  EXPECT_EQ(strict.out, "");
  EXPECT_EQ(strict.err, "{\"error\":\"Error explaining x: no\"}\n");
  EXPECT_EQ(run_command(explain_command(), {}).status, 1);
}

}  // namespace
}  // namespace starling::agent::cli
