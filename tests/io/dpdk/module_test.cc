#include "io/dpdk/module.h"

#include <gtest/gtest.h>

namespace starling::io {

namespace {

TEST(DpdkModule, SaysWhichFileCannotBeLoaded) {
  const auto module = load_dpdk_module("/nowhere/libstarling_dpdk.so");
  ASSERT_FALSE(module);
  EXPECT_TRUE(module.error().starts_with("dpdk: /nowhere/libstarling_dpdk.so: ")) << module.error();
}

TEST(DpdkModule, RefusesAnotherLibrary) {
  const auto module = load_dpdk_module("libm.so.6");
  ASSERT_FALSE(module);
  EXPECT_EQ(module.error(), "dpdk: libm.so.6: not starling's DPDK port");
}

TEST(DpdkModule, LoadsThePortThatWasBuiltBesideTheProgram) {
  const auto module = load_dpdk_module(STARLING_DPDK_MODULE);
  ASSERT_TRUE(module) << module.error();
  EXPECT_EQ((*module)->build, DpdkModule::Build{});
  // A call across: the arguments' own error, before any device.
  const auto started =
      (*module)->start({.bind = {}, .choice = PortChoice::dpdk, .dpdk_arguments = "'"});
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().find('\''), std::string::npos) << started.error();
}

}  // namespace

}  // namespace starling::io
