#include "agent/addresses.h"

#include <gtest/gtest.h>

namespace starling::agent {
namespace {

TEST(Addresses, Format) {
  EXPECT_EQ(format_endpoint({IpAddress::v4(127, 0, 0, 1), 7946}), "127.0.0.1:7946");
  EXPECT_EQ(format_endpoint({*parse_address("::1"), 80}), "[::1]:80");
  EXPECT_EQ(format_endpoint({*parse_address("::ffff:10.0.0.1"), 80}), "10.0.0.1:80");
  EXPECT_EQ(format_endpoint({{}, 7}), ":7");
  EXPECT_EQ(format_address({}), "<nil>");
}

TEST(Addresses, SplitHostPort) {
  const auto parts = split_host_port("[::1]:80");
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->host, "::1");
  EXPECT_EQ(parts->port, "80");
  EXPECT_EQ(split_host_port(":80")->host, "");
  EXPECT_EQ(split_host_port("bad").error(), "address bad: missing port in address");
  EXPECT_EQ(split_host_port("::1").error(), "address ::1: too many colons in address");
  EXPECT_EQ(split_host_port("[::1").error(), "address [::1: missing ']' in address");
}

TEST(Addresses, SplitWithDefault) {
  const auto check = [](std::string_view text, std::string_view host, std::string_view port) {
    const auto parts = split_with_default(text, 7946);
    ASSERT_TRUE(parts) << text;
    EXPECT_EQ(parts->host, host) << text;
    EXPECT_EQ(parts->port, port) << text;
  };
  check("127.0.0.1", "127.0.0.1", "7946");
  check("127.0.0.1:1", "127.0.0.1", "1");
  check("::1", "::1", "7946");
  check("[::1]", "::1", "7946");
  check("[::1]:5", "::1", "5");
  check("host", "host", "7946");
}

TEST(Addresses, Ports) {
  EXPECT_EQ(*parse_port("65535"), 65535);
  EXPECT_EQ(parse_port("99999").error(), "address 99999: invalid port");
  EXPECT_EQ(parse_port("x").error(), "address x: invalid port");
  EXPECT_EQ(parse_port("").error(), "address : invalid port");
}

TEST(Addresses, JoinTargets) {
  const auto named = resolve_join_target("b/127.0.0.1:9", 7946);
  ASSERT_TRUE(named);
  EXPECT_EQ(named->node_name, "b");
  EXPECT_EQ(named->endpoints, (std::vector<Endpoint>{{IpAddress::v4(127, 0, 0, 1), 9}}));
  EXPECT_EQ(resolve_join_target("127.0.0.1", 7946)->endpoints[0].port, 7946);
  EXPECT_EQ(resolve_join_target("/x", 1).error(), "empty node name provided");
  EXPECT_FALSE(resolve_join_target("127.0.0.1:99999", 1));
  EXPECT_EQ(resolve("").error(), "lookup : no such host");
}

}  // namespace
}  // namespace starling::agent
