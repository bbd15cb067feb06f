#include "agent/swarm/cut_ports.h"

#include <gtest/gtest.h>

#include "agent/swarm/population.h"
#include "io/memory/network.h"

namespace starling::agent::swarm {
namespace {

struct Heard final : io::StreamPort::Sink {
  void on_event(const StreamEvent& event) override { events.push_back(event); }
  std::vector<StreamEvent> events;
};

class TwoEngines : public testing::Test {
 protected:
  TwoEngines() {
    for (std::uint32_t engine = 0; engine < 2; ++engine) {
      auto opened = network_.open({.bind = engine_endpoint(engine)});
      EXPECT_TRUE(opened);
      ports_.push_back(std::make_unique<CutPorts>(
          std::move(*opened), cuts_, CutPorts::Options{.engine = engine, .seed = engine + 1}));
    }
  }
  // Sends `count` datagrams from the first to the second; how many arrive.
  std::size_t pass(std::size_t count) {
    std::size_t arrived = 0;
    for (std::size_t i = 0; i < count; ++i) {
      std::array<TxPacket, 1> tx;
      EXPECT_EQ(ports_[0]->datagrams().borrow(tx), 1u);
      tx[0].to = engine_endpoint(1);
      tx[0].bytes = 4;
      ports_[0]->datagrams().send(tx);
      std::array<RxPacket, 4> rx;
      const std::size_t received = ports_[1]->datagrams().receive(rx);
      ports_[1]->datagrams().release(std::span(rx).first(received));
      arrived += received;
    }
    return arrived;
  }
  std::vector<StreamEvent> connect() {
    const StreamOp op{.kind = StreamOp::Kind::connect,
                      .stream = StreamId{1},
                      .to = engine_endpoint(1),
                      .bytes = {}};
    ports_[0]->streams().submit(std::span(&op, 1));
    Heard heard;
    ports_[0]->streams().deliver(heard);
    return heard.events;
  }

  io::MemoryNetwork network_;
  Cuts cuts_;
  std::vector<std::unique_ptr<CutPorts>> ports_;
};

TEST_F(TwoEngines, NothingIsLostWithoutFaults) {
  EXPECT_EQ(pass(1'000), 1'000u);
  EXPECT_EQ(ports_[0]->lost(), 0u);
  EXPECT_EQ(connect().at(0).kind, StreamEvent::Kind::connected);
}

TEST_F(TwoEngines, ACutSeparatesTheSides) {
  cuts_.split(1);
  EXPECT_EQ(pass(1'000), 0u);
  EXPECT_EQ(ports_[0]->lost(), 1'000u);
  const auto events = connect();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kind, StreamEvent::Kind::failed);
  EXPECT_EQ(events[0].error_number, ENETUNREACH);
  cuts_.split(2);  // both on one side
  EXPECT_EQ(pass(10), 10u);
  cuts_.split(0);
  EXPECT_EQ(pass(10), 10u);
}

TEST_F(TwoEngines, ARefusedStreamThatIsGivenUpSaysNothing) {
  cuts_.split(1);
  StreamOp op{.kind = StreamOp::Kind::connect,
              .stream = StreamId{1},
              .to = engine_endpoint(1),
              .bytes = {}};
  ports_[0]->streams().submit(std::span(&op, 1));
  op.kind = StreamOp::Kind::close;
  ports_[0]->streams().submit(std::span(&op, 1));
  Heard heard;
  EXPECT_EQ(ports_[0]->streams().deliver(heard), 0u);
}

TEST_F(TwoEngines, LossIsAsLikelyAsAskedFor) {
  cuts_.lose(0.25);
  const std::size_t arrived = pass(10'000);
  EXPECT_NEAR(static_cast<double>(arrived), 7'500, 250);  // more than five deviations
  cuts_.lose(0);
  EXPECT_FALSE(cuts_.active());
  EXPECT_EQ(pass(100), 100u);
}

TEST(Cuts, JudgeByTheAddress) {
  Cuts cuts;
  cuts.split(3);
  for (std::uint32_t from = 0; from < 6; ++from) {
    for (std::uint32_t to = 0; to < 6; ++to) {
      EXPECT_EQ(cuts.between(from, engine_endpoint(to)), (from < 3) != (to < 3));
    }
    EXPECT_FALSE(cuts.between(from, {IpAddress::v4(10, 0, 0, 1), 7946}));
  }
}

}  // namespace
}  // namespace starling::agent::swarm
