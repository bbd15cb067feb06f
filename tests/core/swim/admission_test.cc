#include "core/swim/admission.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/vectors.h"

namespace starling {
namespace {

IpAddress hex(std::string_view digits) {
  return IpAddress(test::from_hex(digits));
}

TEST(AllowList, AnEmptyListAllowsEverybody) {
  const AllowList list;
  EXPECT_TRUE(list.allows(IpAddress::v4(1, 2, 3, 4)));
  EXPECT_TRUE(list.allows(IpAddress{}));
}

TEST(AllowList, MatchesPrefixesOfAnyLength) {
  AllowList list;
  ASSERT_TRUE(list.add("10.1.2.3/12"));  // host bits do not matter
  EXPECT_TRUE(list.allows(IpAddress::v4(10, 0, 0, 0)));
  EXPECT_TRUE(list.allows(IpAddress::v4(10, 15, 255, 255)));
  EXPECT_FALSE(list.allows(IpAddress::v4(10, 16, 0, 0)));
  EXPECT_FALSE(list.allows(IpAddress::v4(11, 0, 0, 0)));
  EXPECT_FALSE(list.allows(IpAddress{}));
  ASSERT_TRUE(list.add("192.168.7.9/32"));
  EXPECT_TRUE(list.allows(IpAddress::v4(192, 168, 7, 9)));
  EXPECT_FALSE(list.allows(IpAddress::v4(192, 168, 7, 8)));
  ASSERT_TRUE(list.add("0.0.0.0/0"));
  EXPECT_TRUE(list.allows(IpAddress::v4(8, 8, 8, 8)));
  EXPECT_FALSE(list.allows(hex("fd000000000000000000000000000001")));
}

TEST(AllowList, MappedAddressesMatchIpv4Networks) {
  AllowList list;
  ASSERT_TRUE(list.add("10.0.0.0/8"));
  EXPECT_TRUE(list.allows(hex("00000000000000000000ffff0a010203")));
  EXPECT_FALSE(list.allows(hex("00000000000000000000ffff0b010203")));
  EXPECT_FALSE(
      list.allows(hex("000000000000000000000000"
                      "0a010203")));
}

TEST(AllowList, MappedNetworksMatchIpv4Addresses) {
  AllowList list;
  ASSERT_TRUE(list.add("::ffff:10.0.0.0/104"));
  EXPECT_TRUE(list.allows(IpAddress::v4(10, 1, 2, 3)));
  EXPECT_FALSE(list.allows(IpAddress::v4(11, 1, 2, 3)));
}

TEST(AllowList, Ipv6Networks) {
  AllowList list;
  ASSERT_TRUE(list.add("fd00::/9"));
  EXPECT_TRUE(list.allows(hex("fd7f0000000000000000000000000001")));
  EXPECT_FALSE(list.allows(hex("fd800000000000000000000000000001")));
  EXPECT_FALSE(list.allows(IpAddress::v4(10, 0, 0, 1)));
}

TEST(AllowList, RefusesWhatIsNoNetwork) {
  AllowList list;
  for (const std::string_view text :
       {"", "/", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0/8", "10.0.0.0/+8", "10.0.0.0/8 ",
        "10.0.0.256/8", "10.0.0.0/-1", "10.0.0.0/256", "::/129", "x::/8", "10.0.0.0/8/8",
        "00000000000000000000000000000000000000000000000000000000000000/8"}) {
    EXPECT_FALSE(list.add(text)) << text;
  }
  EXPECT_FALSE(list.add(std::string_view("10.0.0.0\0/8", 11)));
  EXPECT_TRUE(list.empty());
}

TEST(AllowList, IsBounded) {
  AllowList list;
  for (std::size_t i = 0; i < AllowList::networks_max; ++i) {
    ASSERT_TRUE(list.add("10.0." + std::to_string(i) + ".0/24"));
  }
  EXPECT_FALSE(list.add("10.1.0.0/24"));
  EXPECT_TRUE(list.allows(IpAddress::v4(10, 0, 63, 1)));
  EXPECT_FALSE(list.allows(IpAddress::v4(10, 1, 0, 1)));
}

}  // namespace
}  // namespace starling
