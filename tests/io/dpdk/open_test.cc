#include "io/dpdk/open.h"

#include "io/open.h"
#include "tests/io/dpdk/ring_pair.h"

namespace starling::io {

namespace {

PortOptions options_for(std::string arguments) {
  return {
      .bind = loopback_v4(), .choice = PortChoice::dpdk, .dpdk_arguments = std::move(arguments)};
}

TEST(OpenDpdk, TakesTheFirstFreeDeviceAndSaysWhich) {
  NEED_EAL();
  ring_pair();
  auto opened = open_ports(options_for(test_eal_arguments));
  ASSERT_TRUE(opened) << opened.error();
  EXPECT_EQ(opened->ports->name(), "dpdk");
  EXPECT_TRUE(opened->reason.starts_with("dpdk: ")) << opened->reason;
  EXPECT_NE(opened->reason.find("(net_ring), own neighbour search, ordinary pages"),
            std::string::npos)
      << opened->reason;
  EXPECT_NE(opened->ports->bound().port, 0);
}

TEST(OpenDpdk, OtherArgumentsThanTheFirstAreAnError) {
  NEED_EAL();
  const auto opened = open_ports(options_for("-m 32"));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error(), "DPDK was started with other arguments: --no-huge -m 512");
}

TEST(OpenDpdk, ATakenAddressIsAnError) {
  NEED_EAL();
  ring_pair();
  const auto first = open_ports(options_for(test_eal_arguments));
  ASSERT_TRUE(first) << first.error();
  PortOptions same = options_for(test_eal_arguments);
  same.bind = first->ports->bound();
  const auto second = open_ports(same);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error(), "bind tcp " + to_text(same.bind) + ": address already in use");
}

}  // namespace

}  // namespace starling::io
