#include "core/swim/scaling.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/vectors.h"

namespace starling {
namespace {

using namespace std::chrono_literals;

const nlohmann::json& formulas() {
  return test::load_vectors("memberlist.json").at("formulas_head");
}
Duration nanoseconds(const nlohmann::json& value) {
  return Duration(value.get<Duration::rep>());
}

TEST(Scaling, SuspicionTimeoutMatchesTheVectors) {
  const nlohmann::json& cases = formulas().at("suspicion_timeout");
  EXPECT_EQ(cases.size(), 36u);
  for (const nlohmann::json& c : cases) {
    EXPECT_EQ(suspicion_timeout(c.at("mult").get<std::uint32_t>(), c.at("n").get<std::uint32_t>(),
                                nanoseconds(c.at("interval_ns"))),
              nanoseconds(c.at("timeout_ns")))
        << c;
  }
}

TEST(Scaling, SuspicionRemainingMatchesTheVectors) {
  const nlohmann::json& cases = formulas().at("suspicion_remaining");
  EXPECT_EQ(cases.size(), 13u);
  for (const nlohmann::json& c : cases) {
    EXPECT_EQ(suspicion_remaining({.confirmations = c.at("n").get<std::uint32_t>(),
                                   .confirmations_needed = c.at("k").get<std::uint32_t>(),
                                   .elapsed = nanoseconds(c.at("elapsed_ns")),
                                   .min = nanoseconds(c.at("min_ns")),
                                   .max = nanoseconds(c.at("max_ns"))}),
              nanoseconds(c.at("remaining_ns")))
        << c;
  }
}

TEST(Scaling, PushPullMatchesTheVectors) {
  const nlohmann::json& cases = formulas().at("push_pull_scale");
  EXPECT_EQ(cases.size(), 11u);
  for (const nlohmann::json& c : cases) {
    EXPECT_EQ(push_pull_scale(nanoseconds(c.at("interval_ns")), c.at("n").get<std::uint32_t>()),
              nanoseconds(c.at("scaled_ns")))
        << c;
  }
}

TEST(Scaling, PushPullMatchesTheFormulaInFloatingPoint) {
  EXPECT_EQ(push_pull_scale(1s, 0), 1s);
  for (std::uint32_t members = 33; members < 300'000; ++members) {
    const double steps = std::ceil(std::log2(members) - std::log2(32.0)) + 1;
    ASSERT_EQ(push_pull_scale(1s, members), 1s * static_cast<int>(steps)) << members;
  }
}

TEST(Scaling, RetransmitLimitMatchesTheVectors) {
  const nlohmann::json& cases = formulas().at("retransmit_limit");
  EXPECT_EQ(cases.size(), 42u);
  for (const nlohmann::json& c : cases) {
    EXPECT_EQ(retransmit_limit(c.at("mult").get<std::uint32_t>(), c.at("n").get<std::uint32_t>()),
              c.at("limit").get<std::uint32_t>())
        << c;
  }
}

TEST(Scaling, RetransmitLimitMatchesTheFormulaInFloatingPoint) {
  for (std::uint32_t members = 0; members < 300'000; ++members) {
    const double scale = std::ceil(std::log10(static_cast<double>(members) + 1));
    ASSERT_EQ(retransmit_limit(4, members), 4 * static_cast<std::uint32_t>(scale)) << members;
  }
}

TEST(Scaling, SuspicionConfirmationsNeedEnoughOthers) {
  // LAN wants 2, so two members besides the accused and us must exist.
  EXPECT_EQ(suspicion_confirmations(4, 3), 0u);
  EXPECT_EQ(suspicion_confirmations(4, 4), 2u);
  EXPECT_EQ(suspicion_confirmations(6, 5), 0u);
  EXPECT_EQ(suspicion_confirmations(6, 6), 4u);
  EXPECT_EQ(suspicion_confirmations(3, 3), 1u);
  EXPECT_EQ(suspicion_confirmations(3, 2), 0u);
  for (std::uint32_t members = 0; members < 10; ++members) {
    EXPECT_EQ(suspicion_confirmations(2, members), 0u);
    EXPECT_EQ(suspicion_confirmations(0, members), 0u);
  }
  EXPECT_EQ(suspicion_confirmations(4, 0), 0u);
}

}  // namespace
}  // namespace starling
