#include "io/address.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

namespace starling::io {

namespace {

Endpoint parsed(std::string_view text) {
  const auto result = endpoint_from(text, 7946);
  EXPECT_TRUE(result) << text;
  return result ? result->endpoint : Endpoint{};
}

TEST(Address, TextRoundTrips) {
  for (const char* text : {"1.2.3.4:7946", "0.0.0.0:0", "255.255.255.255:65535", "[::1]:80",
                           "[2001:db8::5]:7946", "[::ffff:1.2.3.4]:1", "[::]:7946"}) {
    EXPECT_EQ(to_text(parsed(text)), text);
  }
}

TEST(Address, TheDefaultPortFillsIn) {
  EXPECT_EQ(to_text(parsed("10.0.0.1")), "10.0.0.1:7946");
  EXPECT_EQ(to_text(parsed("::1")), "[::1]:7946");
  EXPECT_EQ(to_text(parsed("[::1]")), "[::1]:7946");
}

TEST(Address, RefusesWhatIsNoAddress) {
  for (const char* text :
       {"", ":", "localhost:80", "1.2.3:80", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:-1",
        "1.2.3.4:80x", "[::1", "[::1]80", "[::1]:", "[1.2.3.4]:80", "::1]:80", "1.2.3.4%lo:80",
        "[fe80::1%]:80", "[fe80::1%no-such-device]:80", "[::g]:1",
        "[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]:1"}) {
    EXPECT_FALSE(endpoint_from(text, 7946)) << text;
  }
}

TEST(Address, AZoneIsANameOrANumber) {
  const auto named = endpoint_from("[fe80::1%lo]:80", 0);
  ASSERT_TRUE(named);
  EXPECT_EQ(named->zone, Zone{1});
  const auto numbered = endpoint_from("[fe80::1%3]:80", 0);
  ASSERT_TRUE(numbered);
  EXPECT_EQ(numbered->zone, Zone{3});
  EXPECT_TRUE(is_link_local(numbered->endpoint.address));
  EXPECT_FALSE(is_link_local(parsed("::1").address));
}

TEST(Address, Ipv4IsGivenInFourBytesWhateverTheSocket) {
  for (const int family : {AF_INET, AF_INET6}) {
    for (const char* text : {"1.2.3.4:5", "[::ffff:1.2.3.4]:5"}) {
      SocketAddress address;
      ASSERT_TRUE(to_socket_address(parsed(text), family, Zone::none, address));
      EXPECT_EQ(address.storage.ss_family, family);
      EXPECT_EQ(to_text(to_endpoint(address.storage)), "1.2.3.4:5");
    }
  }
}

TEST(Address, Ipv6HasNoWayOverAnIpv4Socket) {
  SocketAddress address;
  EXPECT_FALSE(to_socket_address(parsed("::1"), AF_INET, Zone::none, address));
  EXPECT_TRUE(to_socket_address(parsed("::1"), AF_INET6, Zone::none, address));
  EXPECT_EQ(to_endpoint(address.storage), parsed("::1"));
  EXPECT_FALSE(to_socket_address({}, AF_INET, Zone::none, address));
  EXPECT_FALSE(to_socket_address({}, AF_INET6, Zone::none, address));
}

TEST(Address, OnlyLinkLocalAddressesGetTheZone) {
  SocketAddress address;
  ASSERT_TRUE(to_socket_address(parsed("fe80::1"), AF_INET6, Zone{4}, address));
  EXPECT_EQ(reinterpret_cast<const sockaddr_in6&>(address.storage).sin6_scope_id, 4U);
  ASSERT_TRUE(to_socket_address(parsed("2001:db8::1"), AF_INET6, Zone{4}, address));
  EXPECT_EQ(reinterpret_cast<const sockaddr_in6&>(address.storage).sin6_scope_id, 0U);
}

TEST(Address, OtherFamiliesAreEmpty) {
  sockaddr_storage storage{};
  storage.ss_family = AF_UNIX;
  EXPECT_EQ(to_endpoint(storage), Endpoint{});
  EXPECT_EQ(to_text(IpAddress{}), "");
}

}  // namespace

}  // namespace starling::io
