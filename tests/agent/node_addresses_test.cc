#include "agent/node_addresses.h"

#include <gtest/gtest.h>

#include "agent/addresses.h"

namespace starling::agent {
namespace {

Config with(std::string bind, std::string advertise, std::string interface) {
  Config config;
  config.bind = std::move(bind);
  config.advertise = std::move(advertise);
  config.interface = std::move(interface);
  return config;
}

TEST(NodeAddresses, BindAndAdvertise) {
  const auto addresses = node_addresses(with("127.0.0.1", "1.2.3.4:5", ""), {});
  ASSERT_TRUE(addresses);
  EXPECT_EQ(format_endpoint(addresses->bind), "127.0.0.1:7946");
  EXPECT_EQ(format_endpoint(*addresses->advertise), "1.2.3.4:5");
  EXPECT_EQ(format_endpoint(node_addresses(with("[::1]:9", "", ""), {})->bind), "[::1]:9");
  EXPECT_EQ(format_endpoint(node_addresses(with(":9", "", ""), {})->bind), "0.0.0.0:9");
}

TEST(NodeAddresses, Errors) {
  EXPECT_EQ(node_addresses(with("127.0.0.1:99999", "", ""), {}).error(),
            "Invalid bind address: address 99999: invalid port");
  EXPECT_EQ(node_addresses(with("127.0.0.1", "1.2.3.4:x", ""), {}).error(),
            "Invalid advertise address: address x: invalid port");
  EXPECT_EQ(node_addresses(with("0.0.0.0", "", "nope0"), {}).error(),
            "Invalid network interface: nope0: no such network interface");
}

TEST(NodeAddresses, Interfaces) {
  const std::vector<InterfaceAddress> interfaces{{"eth9", *parse_address("fe80::1")},
                                                 {"eth9", *parse_address("10.1.1.1")},
                                                 {"eth8", *parse_address("10.2.2.2")}};
  const auto chosen = node_addresses(with("0.0.0.0:1", "", "eth9"), interfaces);
  ASSERT_TRUE(chosen) << chosen.error();
  EXPECT_EQ(format_endpoint(chosen->bind), "10.1.1.1:1");
  EXPECT_EQ(chosen->note, "Using interface 'eth9' address '10.1.1.1'");
  EXPECT_TRUE(node_addresses(with("10.1.1.1", "", "eth9"), interfaces));
  EXPECT_EQ(node_addresses(with("10.2.2.2", "", "eth9"), interfaces).error(),
            "Interface 'eth9' has no '10.2.2.2' address");
}

TEST(NodeAddresses, AdvertisedBytes) {
  NodeAddresses addresses;
  const Endpoint bound{IpAddress::v4(127, 0, 0, 9), 7};
  EXPECT_EQ(*advertised(addresses, bound, {}), bound);
  addresses.advertise = Endpoint{IpAddress::v4(1, 2, 3, 4), 5};
  EXPECT_EQ(*advertised(addresses, bound, {}), *addresses.advertise);
  // Bound to everything: 16 bytes, as Go sends them.
  addresses.advertise.reset();
  const std::vector<InterfaceAddress> interfaces{{"eth9", IpAddress::v4(10, 1, 1, 1)}};
  const auto mapped = advertised(addresses, {IpAddress::v4(0, 0, 0, 0), 7}, interfaces);
  ASSERT_TRUE(mapped);
  EXPECT_EQ(mapped->address.bytes().size(), 16U);
  EXPECT_EQ(mapped->port, 7);
}

TEST(NodeAddresses, ThisHostHasALoopback) {
  bool found = false;
  for (const InterfaceAddress& entry : interface_addresses()) {
    found |= entry.address == IpAddress::v4(127, 0, 0, 1);
  }
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace starling::agent
