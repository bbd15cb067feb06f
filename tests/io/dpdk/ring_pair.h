// Two DPDK devices that are the ends of one wire made of rings, in this process, and starling's
// ports on them. For tests.
#pragma once

#include <string>
#include <vector>

#include "io/dpdk/ports.h"
#include "tests/io/conformance/harness.h"

namespace starling::io {

// Room for the packets of all the devices that the tests make.
constexpr const char* test_eal_arguments = "--no-huge -m 512";
// Starts EAL with ordinary pages for this test program. The reason when it cannot; empty else.
std::string start_test_eal();

struct RingPair {
  DeviceNumber a{}, b{};
  rte_ring* to_a = nullptr;
  rte_ring* to_b = nullptr;
};
// The pair that all tests share; its devices are taken and given back by each.
RingPair ring_pair();
// A device with the test at the other end of its wire: it sees what is sent and writes what
// arrives.
class WireTap {
 public:
  explicit WireTap(std::size_t receive_queues = 1, std::size_t send_queues = 1);
  DeviceNumber device() const { return device_; }
  // The frames that the device sent since the last call.
  std::vector<std::vector<std::byte>> sent(std::size_t queue = 0);
  // Lets a frame arrive.
  void arrive(Bytes frame, std::size_t queue = 0);

 private:
  DeviceNumber device_{};
  std::vector<rte_ring*> to_device_, from_device_;
};

// Kernel ports with muted datagrams, as open.cc makes them.
std::unique_ptr<Ports> muted_kernel(const PortOptions& options);
// Ports of one RingNetwork.
PortKind rings_kind();
// Ports on the free end of the shared pair, who know the other end's MAC already: the suites poll
// one end at a time.
PortKind dpdk_kind();

}  // namespace starling::io

// Ends a test that needs EAL where there is none.
#define NEED_EAL() \
  if (const std::string problem = start_test_eal(); !problem.empty()) GTEST_SKIP() << problem
