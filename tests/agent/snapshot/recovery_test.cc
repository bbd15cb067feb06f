#include "agent/snapshot/recovery.h"

#include <set>

#include <gtest/gtest.h>

#include "tests/agent/snapshot/text_snapshot.h"
#include "tests/agent/temporary_folder.h"
#include "tests/support/vectors.h"

namespace starling::agent {
namespace {

using Nodes = std::map<std::string, std::string>;

// What Serf itself recovered from these files.
TEST(Recovery, AsSerfDoes) {
  const nlohmann::json& vectors = test::load_vectors("serf.json")["snapshot_recovery"];
  EXPECT_GE(vectors.size(), 10U);
  for (const nlohmann::json& each : vectors) {
    const auto content = each["content"].get<std::string>();
    const Recovered recovered =
        recover_text(content, {.rejoin_after_leave = each["rejoin_after_leave"].get<bool>()});
    EXPECT_EQ(nodes_of(recovered), each["alive_nodes"].get<Nodes>()) << each["name"];
    EXPECT_EQ(recovered.clock, each["clock"].get<std::uint64_t>()) << each["name"];
    EXPECT_EQ(recovered.event_clock, each["event_clock"].get<std::uint64_t>()) << each["name"];
    EXPECT_EQ(recovered.query_clock, each["query_clock"].get<std::uint64_t>()) << each["name"];
  }
}

TEST(Recovery, OfRealFiles) {
  const std::string folder = std::string(STARLING_SOURCE_DIR) + "/tests/vectors/";
  auto left = recover_file(folder + "real_a_after_leave.snap", {});
  ASSERT_TRUE(left) << left.error();
  EXPECT_TRUE(left->nodes.empty());
  EXPECT_EQ(left->clock, 9U);
  auto all_the_same =
      recover_file(folder + "real_a_after_leave.snap", {.rejoin_after_leave = true});
  EXPECT_EQ(nodes_of(*all_the_same), (Nodes{{"a", "127.0.0.11:7946"}, {"c", "127.0.0.13:7946"}}));
  EXPECT_EQ(all_the_same->event_clock, 3U);
  EXPECT_EQ(all_the_same->query_clock, 11U);
  EXPECT_TRUE(all_the_same->leave_ignored);
  EXPECT_TRUE(all_the_same->warnings.empty());
}

TEST(Recovery, OfNoFileSaysNothing) {
  const TemporaryFolder folder;
  const auto recovered = recover_file(folder.path("none"), {});
  ASSERT_TRUE(recovered);
  EXPECT_TRUE(recovered->nodes.empty());
  const auto refused = recover_file(folder.path(""), {});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().find("is a directory"), std::string::npos);
}

TEST(Recovery, KeepsOurIncarnationOverALeave) {
  EXPECT_EQ(recover_text("# starling incarnation: 70\nleave\n").incarnation, 70U);
  EXPECT_EQ(recover_text("# starling incarnation: 70\n# starling incarnation: 6").incarnation, 70U);
  // Above the half nothing would be left for refutations.
  const Recovered absurd = recover_text("# starling incarnation: 4294967295\n");
  EXPECT_EQ(absurd.incarnation, 0U);
  EXPECT_EQ(absurd.warnings.size(), 1U);
}

TEST(Recovery, WarnsOfWhatItSkipsWithinBounds) {
  std::string text = "alive: x\nclock: 1x\nwhat\n";
  EXPECT_EQ(recover_text(text).warnings,
            (std::vector<std::string>{"no address: \"x\"", "no clock: \"1x\"",
                                      "unrecognized line: \"what\""}));
  for (int i = 0; i < 100; ++i) text += "\n";
  const Recovered many = recover_text(text);
  EXPECT_EQ(many.warnings.size() + many.further_warnings, 103U);
  EXPECT_LE(many.warnings.size(), 16U);

  const std::string line(10'000, 'x');
  const Recovered recovered = recover_text(line + "\nalive: a 1.2.3.4:5\n" + line);
  EXPECT_EQ(nodes_of(recovered), (Nodes{{"a", "1.2.3.4:5"}}));
  EXPECT_EQ(recovered.warnings, std::vector<std::string>{"line at byte 0 is too long"});
}

// A crash may cut the file anywhere: whole lines count, the last one without its end does not.
TEST(Recovery, OfAFileCutAtAnyByte) {
  const std::string text =
      "alive: node a 10.0.0.1:7946\nclock: 12\nalive: b [fd00::1]:7946\nevent-clock: 345\n"
      "not-alive: node a\n# starling incarnation: 128\nquery-clock: 9\nleave\nclock: 77\n";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    const std::string_view part = std::string_view(text).substr(0, cut);
    const std::size_t end = part.rfind('\n');
    const std::string_view whole = end == std::string_view::npos ? "" : part.substr(0, end + 1);
    const Recovered cut_off = recover_text(part);
    const Recovered expected = recover_text(whole);
    EXPECT_EQ(nodes_of(cut_off), nodes_of(expected)) << cut;
    EXPECT_EQ(cut_off.clock, expected.clock) << cut;
    EXPECT_EQ(cut_off.event_clock, expected.event_clock) << cut;
    EXPECT_EQ(cut_off.incarnation, expected.incarnation) << cut;
    EXPECT_TRUE(cut_off.warnings.empty()) << cut;
    for (const auto& [name, address] : nodes_of(cut_off)) {
      EXPECT_TRUE(address == "10.0.0.1:7946" || address == "[fd00::1]:7946") << address;
    }
  }
}

TEST(Recovery, ChoosesAmongMany) {
  std::string text;
  for (int i = 0; i < 5000; ++i) {
    text += "alive: node-" + std::to_string(i) + " 10.0.0.1:" + std::to_string(1 + i) + "\n";
  }
  const Recovered recovered = recover_text(text, {.nodes_max = 100, .seed = 3});
  EXPECT_EQ(recovered.alive, 5000U);
  ASSERT_EQ(nodes_of(recovered).size(), 100U) << "each once";
  int late = 0;
  for (const auto& [name, address] : nodes_of(recovered)) {
    const int number = std::stoi(name.substr(5));
    EXPECT_EQ(address, "10.0.0.1:" + std::to_string(1 + number));
    late += number >= 2500;
  }
  EXPECT_GT(late, 25);
  EXPECT_LT(late, 75);
  const Recovered bounded = recover_text(text, {.names_max = 10});
  EXPECT_EQ(bounded.alive, 10U);
  EXPECT_EQ(bounded.warnings.size(), 1U);
}

}  // namespace
}  // namespace starling::agent
