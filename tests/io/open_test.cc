#include "io/open.h"

#include <gtest/gtest.h>

namespace starling::io {

namespace {

PortOptions loopback(PortChoice choice) {
  return {.bind = {IpAddress::v4(127, 0, 0, 1), 0}, .choice = choice};
}

TEST(Open, SocketsWhenAskedFor) {
  const auto opened = open_ports(loopback(PortChoice::sockets));
  ASSERT_TRUE(opened) << opened.error();
  EXPECT_EQ(opened->ports->name(), "sockets");
  EXPECT_EQ(opened->reason, "sockets: asked for");
  EXPECT_NE(opened->ports->bound().port, 0);
}

TEST(Open, AutomaticAlwaysOpensAndSaysWhatItTook) {
  const auto opened = open_ports(loopback(PortChoice::automatic));
  ASSERT_TRUE(opened) << opened.error();
  EXPECT_TRUE(opened->reason.starts_with(std::string(opened->ports->name()) + ": "))
      << opened->reason;
}

TEST(Open, ATakenAddressIsAnErrorForEveryChoice) {
  const auto first = open_ports(loopback(PortChoice::sockets));
  ASSERT_TRUE(first);
  for (const PortChoice choice : {PortChoice::sockets, PortChoice::automatic}) {
    PortOptions same = loopback(choice);
    same.bind = first->ports->bound();
    const auto second = open_ports(same);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error(), "bind tcp " + to_text(same.bind) + ": address already in use");
  }
}

}  // namespace

}  // namespace starling::io
