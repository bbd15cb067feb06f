// Bells wake who sleeps, and nobody else.
#include "io/thread/lane_bells.h"

#include <gtest/gtest.h>

namespace starling::io {
namespace {

class CountingPorts final : public Ports {
 public:
  DatagramPort& datagrams() override { std::abort(); }
  StreamPort& streams() override { std::abort(); }
  void wait(Duration) override {}
  void wake() override { ++wakes; }
  Endpoint bound() const override { return {}; }
  std::string_view name() const override { return "counting"; }
  const PortCounters& counters() const override { return counters_; }
  int wakes = 0;

 private:
  PortCounters counters_;
};

TEST(LaneBells, RingOnlyForThoseWhoLie) {
  CountingPorts a, b, c;
  LaneBells bells({&a, &b, &c});
  bells.ring(0b111);
  EXPECT_EQ(a.wakes + b.wakes + c.wakes, 0);
  bells.lie_down(1);
  bells.lie_down(2);
  bells.ring(0b011);
  EXPECT_EQ(a.wakes, 0);
  EXPECT_EQ(b.wakes, 1);
  EXPECT_EQ(c.wakes, 0);
  bells.get_up(1);
  bells.ring(0b111);
  EXPECT_EQ(b.wakes, 1);
  EXPECT_EQ(c.wakes, 1);
  bells.ring(0);
  EXPECT_EQ(c.wakes, 1);
}

}  // namespace
}  // namespace starling::io
