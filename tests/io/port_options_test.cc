#include "io/port_options.h"

#include <gtest/gtest.h>

namespace starling::io {

namespace {

TEST(PortOptions, NamesItsChoices) {
  EXPECT_EQ(port_choice_from("auto"), PortChoice::automatic);
  EXPECT_EQ(port_choice_from("uring"), PortChoice::uring);
  EXPECT_EQ(port_choice_from("sockets"), PortChoice::sockets);
  EXPECT_EQ(port_choice_from("dpdk"), PortChoice::dpdk);
  EXPECT_FALSE(port_choice_from("epoll"));
}

}  // namespace

}  // namespace starling::io
