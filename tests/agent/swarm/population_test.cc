#include "agent/swarm/population.h"

#include <gtest/gtest.h>

namespace starling::agent::swarm {
namespace {

TEST(MemberNames, ReadBack) {
  EXPECT_EQ(MemberName(123).text(), "m0000123");
  EXPECT_EQ(MemberName(9'999'999).text(), "m9999999");
  for (const std::uint32_t number : {0u, 1u, 99u, 1'000'000u, 9'999'999u}) {
    EXPECT_EQ(number_from_name(MemberName(number).text()), number);
  }
  for (const std::string_view bad : {"", "m", "m000012", "m00001234", "n0000123", "m000012x"}) {
    EXPECT_EQ(number_from_name(bad), std::nullopt) << bad;
  }
}

TEST(EngineEndpoints, ReadBackAndDiffer) {
  Endpoint before;
  for (std::uint32_t engine = 0; engine < engines_limit; ++engine) {
    const Endpoint endpoint = engine_endpoint(engine);
    EXPECT_LT(before, endpoint);
    EXPECT_EQ(engine_at(endpoint), engine);
    before = endpoint;
  }
  EXPECT_EQ(engine_at({IpAddress::v4(127, 0, 0, 1), 7946}), std::nullopt);
  EXPECT_EQ(engine_at({IpAddress::v4(127, 77, 0, 0), 7946}), std::nullopt);
  EXPECT_EQ(engine_at({IpAddress::v4(127, 77, 0, 251), 7946}), std::nullopt);
  EXPECT_EQ(engine_at({IpAddress::v4(127, 77, 255, 1), 7946}), std::nullopt);
  EXPECT_EQ(engine_at({}), std::nullopt);
}

TEST(Population, SharesAreEvenAndWhole) {
  for (const std::uint32_t engines : {1u, 2u, 3u, 7u, 16u}) {
    for (const std::uint32_t members : {16u, 17u, 100u, 1'001u}) {
      const Population population(members, engines);
      EXPECT_EQ(population.first_of(0), 0u);
      EXPECT_EQ(population.first_of(engines), members);
      for (std::uint32_t engine = 0; engine < engines; ++engine) {
        const std::uint32_t share = population.first_of(engine + 1) - population.first_of(engine);
        EXPECT_GE(share, members / engines);
        EXPECT_LE(share, members / engines + 1);
        for (std::uint32_t member = population.first_of(engine);
             member < population.first_of(engine + 1); ++member) {
          EXPECT_EQ(population.engine_of(member), engine);
        }
      }
    }
  }
}

TEST(Population, Excuses) {
  Population population(10, 2);
  population.excuse(3, true);
  EXPECT_TRUE(population.excused(3));
  EXPECT_FALSE(population.excused(4));
  population.excuse_everybody(true);
  EXPECT_TRUE(population.excused(4));
  population.excuse_everybody(false);
  population.excuse(3, false);
  EXPECT_FALSE(population.excused(3));
}

}  // namespace
}  // namespace starling::agent::swarm
