#include "agent/swarm/acts.h"

#include <gtest/gtest.h>

namespace starling::agent::swarm {
namespace {

using std::chrono::seconds;

TEST(Acts, EveryKind) {
  const auto acts = parse_acts(
      " kill 1000 ; wait 10s; partition 1m;churn 2.5/s:20s; loss 5%:30s; loss 0.25;"
      "update 7;leave 3; kill-engine;;");
  ASSERT_TRUE(acts) << acts.error();
  ASSERT_EQ(acts->size(), 9u);
  const auto& a = *acts;
  EXPECT_EQ(a[0].kind, ActKind::kill);
  EXPECT_EQ(a[0].count, 1000u);
  EXPECT_EQ(a[0].text, "kill 1000");
  EXPECT_EQ(a[1].kind, ActKind::wait);
  EXPECT_EQ(a[1].length, seconds(10));
  EXPECT_EQ(a[2].kind, ActKind::partition);
  EXPECT_EQ(a[2].length, seconds(60));
  EXPECT_EQ(a[3].kind, ActKind::churn);
  EXPECT_EQ(a[3].rate, 2.5);
  EXPECT_EQ(a[3].length, seconds(20));
  EXPECT_EQ(a[4].kind, ActKind::loss);
  EXPECT_DOUBLE_EQ(a[4].probability, 0.05);
  EXPECT_EQ(a[4].length, seconds(30));
  EXPECT_DOUBLE_EQ(a[5].probability, 0.25);
  EXPECT_EQ(a[5].length, Duration::zero());
  EXPECT_EQ(a[6].kind, ActKind::update);
  EXPECT_EQ(a[7].kind, ActKind::leave);
  EXPECT_EQ(a[8].kind, ActKind::kill_engine);
}

TEST(Acts, NamesTheOneAtFault) {
  const auto error_of = [](std::string_view script) {
    const auto acts = parse_acts(script);
    return acts ? "none: " + std::string(script) : acts.error();
  };
  EXPECT_EQ(error_of("kill 1; dance"), "act \"dance\": no such act");
  for (const std::string_view bad :
       {"kill", "kill 0", "kill -1", "kill 1x", "kill 1 2", "update", "leave 99999999999"}) {
    EXPECT_EQ(error_of(bad), "act \"" + std::string(bad) + "\": needs a number of members above 0");
  }
  EXPECT_EQ(error_of("kill-engine 1"), "act \"kill-engine 1\": takes no argument");
  EXPECT_EQ(error_of("churn 5:10s"), "act \"churn 5:10s\": needs RATE/s:TIME");
  EXPECT_EQ(error_of("churn 5/s"), "act \"churn 5/s\": needs RATE/s:TIME");
  EXPECT_EQ(error_of("churn 0/s:1s"),
            "act \"churn 0/s:1s\": the rate must be above 0 and at most 1e6/s");
  for (const std::string_view bad : {"loss 0", "loss 100%", "loss nan", "loss -1%", "loss"}) {
    EXPECT_EQ(error_of(bad),
              "act \"" + std::string(bad) + "\": needs a probability between 0 and 1");
  }
  EXPECT_EQ(error_of("wait 0s"), "act \"wait 0s\": the time must be above 0 and at most 24h");
  EXPECT_EQ(error_of("wait 25h"), "act \"wait 25h\": the time must be above 0 and at most 24h");
  EXPECT_NE(error_of("partition").find("invalid duration"), std::string::npos);
}

TEST(Acts, NotTooMany) {
  std::string script;
  for (std::size_t i = 0; i < acts_max; ++i) script += "kill 1;";
  EXPECT_TRUE(parse_acts(script));
  script += "kill 1";
  ASSERT_FALSE(parse_acts(script));
  EXPECT_EQ(parse_acts(script).error(), "more than 64 acts");
  EXPECT_TRUE(parse_acts("")->empty());
}

TEST(Acts, NamesReadBack) {
  for (const ActKind kind :
       {ActKind::kill, ActKind::kill_engine, ActKind::partition, ActKind::churn, ActKind::loss,
        ActKind::update, ActKind::leave, ActKind::wait}) {
    EXPECT_NE(to_text(kind), "?");
  }
}

}  // namespace
}  // namespace starling::agent::swarm
