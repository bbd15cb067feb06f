#include "sim/network.h"

#include <gtest/gtest.h>

#include <bit>

#include "tests/sim/nodes.h"

namespace starling::sim {
namespace {

struct Arrived {
  Instant at;
  NodeId from, to;
  std::string text;
};

class NetworkTest : public testing::Test {
 protected:
  std::vector<Arrived> drain(Network& network) {
    std::vector<Arrived> arrived;
    while (network.next_due() != Instant::max()) {
      const Instant now = network.next_due();
      while (std::optional<Datagram> datagram = network.pop_due(now)) {
        arrived.push_back(
            {now, datagram->from, datagram->to, std::string(as_text(datagram->bytes))});
        network.recycle(std::move(datagram->bytes));
      }
    }
    return arrived;
  }
  std::vector<std::string> texts(Network& network) {
    std::vector<std::string> all;
    for (Arrived& each : drain(network)) all.push_back(std::move(each.text));
    return all;
  }

  Links links_{3, {}, 5};
  Report report_;
  Instant now_{std::chrono::seconds(1)};
};

TEST_F(NetworkTest, DeliversWithLatency) {
  Network network(links_, Random(1), true, report_);
  EXPECT_EQ(network.send(now_, a, endpoint_of(b), as_bytes("hello")), Fate::sent);
  const std::vector<Arrived> arrived = drain(network);
  ASSERT_EQ(arrived.size(), 1U);
  EXPECT_EQ(arrived[0].text, "hello");
  EXPECT_EQ(arrived[0].from, a);
  EXPECT_EQ(arrived[0].to, b);
  EXPECT_GT(arrived[0].at, now_);
  EXPECT_LE(arrived[0].at, now_ + std::chrono::milliseconds(1));
}

TEST_F(NetworkTest, AnInstantKeepsTheOrderOfSending) {
  Links level(3,
              {.floor_min = std::chrono::milliseconds(1),
               .floor_max = std::chrono::milliseconds(1),
               .jitter_max = Duration::zero()},
              1);
  Network network(level, Random(1), true, report_);
  for (const char* text : {"1", "2", "3", "4", "5", "6"}) {
    network.send(now_, a, endpoint_of(b), as_bytes(text));
  }
  EXPECT_EQ(texts(network), (std::vector<std::string>{"1", "2", "3", "4", "5", "6"}));
}

TEST_F(NetworkTest, LosesTheShareItIsTold) {
  Network network(links_, Random(2), true, report_);
  network.conditions().loss = 0.25;
  for (int i = 0; i < 10'000; ++i) network.send(now_, a, endpoint_of(b), as_bytes("x"));
  const auto arrived = static_cast<double>(drain(network).size());
  EXPECT_NEAR(arrived, 7500, 200);
  EXPECT_EQ(report_[Count::datagrams_lost] + static_cast<std::uint64_t>(arrived), 10'000U);
}

TEST_F(NetworkTest, DuplicatesAndReorders) {
  Network network(links_, Random(3), true, report_);
  network.conditions().duplicate = 0.5;
  network.conditions().reorder = 0.5;
  for (int i = 0; i < 1000; ++i) {
    network.send(now_ + std::chrono::milliseconds(i), a, endpoint_of(b),
                 as_bytes(std::to_string(i)));
  }
  const std::vector<std::string> all = texts(network);
  EXPECT_EQ(all.size(), 1000 + report_[Count::datagrams_duplicated]);
  EXPECT_GT(report_[Count::datagrams_duplicated], 400U);
  int backwards = 0;
  for (std::size_t i = 1; i < all.size(); ++i)
    backwards += std::stoi(all[i]) < std::stoi(all[i - 1]);
  EXPECT_GT(backwards, 100);
}

TEST_F(NetworkTest, FlipsBitsOnlyWhereTheyCanArrive) {
  const std::string sent(100, '\0');
  Network encrypted(links_, Random(4), true, report_);
  encrypted.conditions().corrupt = 1;
  encrypted.send(now_, a, endpoint_of(b), as_bytes(sent));
  const std::vector<std::string> all = texts(encrypted);
  ASSERT_EQ(all.size(), 1U);
  int bits = 0;
  for (const char letter : all[0]) bits += std::popcount(static_cast<unsigned char>(letter));
  EXPECT_GE(bits, 1);
  EXPECT_LE(bits, 3);

  Network plain(links_, Random(4), false, report_);
  plain.conditions().corrupt = 1;
  plain.send(now_, a, endpoint_of(b), as_bytes(sent));
  EXPECT_TRUE(texts(plain).empty()) << "UDP's checksum drops it";
}

TEST_F(NetworkTest, APartitionStopsWhatIsSentAndWhatIsUnderWay) {
  Network network(links_, Random(5), true, report_);
  network.send(now_, a, endpoint_of(b), as_bytes("under way"));
  links_.split(1, {0, 1, 0});
  EXPECT_EQ(network.send(now_, a, endpoint_of(b), as_bytes("too late")), Fate::blocked);
  EXPECT_EQ(network.send(now_, a, endpoint_of(c), as_bytes("same side")), Fate::sent);
  EXPECT_EQ(texts(network), std::vector<std::string>{"same side"});
  EXPECT_EQ(report_[Count::partition_drops], 2U);
}

TEST_F(NetworkTest, OneDirectionCanBeDeaf) {
  Network network(links_, Random(6), true, report_);
  links_.close(a, b);
  EXPECT_EQ(network.send(now_, a, endpoint_of(b), as_bytes("no")), Fate::blocked);
  EXPECT_EQ(network.send(now_, b, endpoint_of(a), as_bytes("yes")), Fate::sent);
  EXPECT_EQ(texts(network), std::vector<std::string>{"yes"});
}

TEST_F(NetworkTest, SwitchingAFaultOffKeepsTheFateOfTheRest) {
  const auto run = [&](double duplicate) {
    Network network(links_, Random(7), true, report_);
    network.conditions() = {.loss = 0.3, .duplicate = duplicate};
    for (int i = 0; i < 200; ++i) {
      network.send(now_, a, endpoint_of(b), as_bytes(std::to_string(i)));
    }
    std::vector<std::string> all = texts(network);
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
  };
  EXPECT_EQ(run(0), run(0.5));
}

TEST_F(NetworkTest, IsBoundedAndKnowsItsAddresses) {
  Network network(links_, Random(8), true, report_, 2);
  EXPECT_EQ(network.send(now_, a, endpoint_of(b), as_bytes("1")), Fate::sent);
  EXPECT_EQ(network.send(now_, a, endpoint_of(b), as_bytes("2")), Fate::sent);
  EXPECT_EQ(network.send(now_, a, endpoint_of(b), as_bytes("3")), Fate::overflow);
  EXPECT_EQ(network.in_flight(), 2U);
  EXPECT_EQ(network.send(now_, a, {IpAddress::v4(192, 168, 0, 1), 7946}, as_bytes("4")),
            Fate::misaddressed);
  EXPECT_EQ(network.send(now_, a, {endpoint_of(b).address, 1}, as_bytes("5")), Fate::misaddressed);
}

}  // namespace
}  // namespace starling::sim
