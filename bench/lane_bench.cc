// A lane's turns: 32 packets in, judged, applied and answered. Names as in peers/codec.
//
// Everything a node does with a packet is in here except the system calls: the envelope, decoding,
// the tables, the queue of broadcasts, the answers.
#include <cstring>

#include "bench/bench_node.h"
#include "bench/counters.h"
#include "bench/samples.h"
#include "wire/base/check.h"

namespace starling::bench {
namespace {

constexpr std::size_t packets_per_turn = 32;
constexpr std::uint32_t alives_per_packet = 20;
constexpr std::uint32_t incarnation_wide = 0x10000;  // the smallest one written in four bytes

const Endpoint sender{IpAddress::v4(10, 0, 0, 1), 7946};

ByteVector sealed(Bytes plain) {
  Keyring keyring;
  CHECK(keyring.add(BenchNode::key()).has_value());
  Cipher cipher(keyring);
  ByteVector out(Cipher::sealed_size(1, plain.size()));
  CHECK(cipher.seal(1, Nonce{}, {}, plain, out) == out.size());
  return out;
}

void pings(benchmark::State& state, bool encrypted) {
  BenchNode node({.sealed = encrypted});
  std::vector<ByteVector> packets;
  const Sample source(1);
  for (std::uint32_t i = 0; i < packets_per_turn; ++i) {
    const ByteVector ping = encoded(
        Ping{.sequence = SequenceNumber{123456 + i},
             .node = "bench",
             .source = {.address = source.alive(1).address, .port = 7946, .node = source.name()}});
    packets.push_back(encrypted ? sealed(ping) : ping);
  }
  // Opening a packet overwrites it, so a port's buffers are filled anew each turn.
  std::vector<ByteVector> buffers = packets;
  std::vector<RxPacket> rx;
  for (const ByteVector& buffer : buffers) {
    rx.push_back({.from = sender, .bytes = buffer, .cookie = 0});
  }
  const Meter meter(state, packets_per_turn);
  for (auto _ : state) {
    for (std::size_t i = 0; i < packets.size(); ++i) {
      std::memcpy(buffers[i].data(), packets[i].data(), packets[i].size());
    }
    CHECK(node.poll(rx) == packets_per_turn);
  }
}

void lane_turn_32_pings_per_packet(benchmark::State& state) {
  pings(state, false);
}
void lane_turn_32_pings_sealed_per_packet(benchmark::State& state) {
  pings(state, true);
}

// Packets of 20 alives that together name members first..first+count-1 once, in a random order.
class AlivePackets {
 public:
  AlivePackets(std::uint32_t first, std::uint32_t count, std::uint32_t incarnation)
      : incarnation_(incarnation) {
    std::vector<std::uint32_t> numbers = shuffled(count);
    for (std::uint32_t& number : numbers) number += first;
    for (std::size_t at = 0; at < numbers.size(); at += alives_per_packet) {
      const std::size_t members = std::min<std::size_t>(alives_per_packet, numbers.size() - at);
      packets_.push_back(compound_of_alives(std::span(numbers).subspan(at, members), incarnation));
    }
    for (const ByteVector& packet : packets_) {
      rx_.push_back({.from = sender, .bytes = packet, .cookie = 0});
      if (incarnation == incarnation_wide) note_incarnations(packet);
    }
  }

  std::size_t turns() const { return rx_.size() / packets_per_turn; }
  std::size_t size() const { return rx_.size(); }
  std::span<const RxPacket> all() const { return rx_; }
  std::span<const RxPacket> turn(std::size_t i) const {
    return std::span(rx_).subspan(i * packets_per_turn, packets_per_turn);
  }

  // Makes the alives of a turn newer than all before; only for packets with incarnation_wide.
  void renew(std::size_t i) {
    ++incarnation_;
    for (std::size_t p = i * packets_per_turn; p < (i + 1) * packets_per_turn; ++p) {
      const std::uint32_t big_endian = __builtin_bswap32(incarnation_);
      for (const std::size_t at : incarnations_[p]) {
        std::memcpy(packets_[p].data() + at, &big_endian, sizeof big_endian);
      }
    }
  }

 private:
  void note_incarnations(const ByteVector& packet) {
    constexpr std::string_view key = "Incarnation\xce";
    std::vector<std::size_t>& places = incarnations_.emplace_back();
    const std::string_view text = as_text(packet);
    for (std::size_t at = text.find(key); at != text.npos; at = text.find(key, at + 1)) {
      places.push_back(at + key.size());
    }
  }

  std::uint32_t incarnation_;
  std::vector<ByteVector> packets_;
  std::vector<RxPacket> rx_;
  std::vector<std::vector<std::size_t>> incarnations_;
};

void receive_all(BenchNode& node, const AlivePackets& packets) {
  for (std::size_t at = 0; at < packets.size(); at += packets_per_turn) {
    node.poll(packets.all().subspan(at, std::min(packets_per_turn, packets.size() - at)));
  }
  node.drain_events();
}

// Duplicates: what most gossip is.
void alives_known(benchmark::State& state, std::uint32_t members) {
  BenchNode node({.members_max = members + 1});
  const AlivePackets packets(0, members, incarnation_wide);
  receive_all(node, packets);
  CHECK(node.stats().nodes == members + 1);
  std::size_t turn = 0;
  const Meter meter(state, packets_per_turn * alives_per_packet);
  for (auto _ : state) {
    node.poll(packets.turn(turn));
    turn = turn + 1 == packets.turns() ? 0 : turn + 1;
  }
}

// News about known members: judged, stored, queued to be passed on.
void alives_newer(benchmark::State& state, std::uint32_t members) {
  BenchNode node({.members_max = members + 1});
  AlivePackets packets(0, members, incarnation_wide);
  receive_all(node, packets);
  const std::uint64_t applied_before = node.stats().counters.alives_applied;
  std::uint64_t turns = 0;
  {
    const Meter meter(state, packets_per_turn * alives_per_packet);
    for (auto _ : state) {
      const std::size_t turn = turns++ % packets.turns();
      packets.renew(turn);
      node.poll(packets.turn(turn));
    }
  }
  CHECK(node.stats().counters.alives_applied - applied_before ==
        turns * packets_per_turn * alives_per_packet);
}

// As many strangers as there are members.
void alives_new(benchmark::State& state, std::uint32_t members) {
  const AlivePackets known(0, members, 1);
  const AlivePackets strangers(members, members, 1);
  const std::size_t joining = strangers.turns() * packets_per_turn * alives_per_packet;
  BenchNode node({.members_max = 2 * members + 1});
  const auto meet_strangers = [&] {
    for (std::size_t turn = 0; turn < strangers.turns(); ++turn) node.poll(strangers.turn(turn));
  };
  receive_all(node, known);
  meet_strangers();
  PartMeter meter(state, joining);
  for (auto _ : state) {
    node.restart();
    receive_all(node, known);
    meter.begin();
    meet_strangers();
    meter.end();
    CHECK(node.stats().nodes == 1 + members + joining);
  }
}

void compound_20_alives_decode_and_apply_known(benchmark::State& state) {
  BenchNode node({});
  const AlivePackets packets(0, alives_per_packet, 1);
  const std::vector<RxPacket> rx(packets_per_turn, packets.all().front());
  node.poll(rx);
  CHECK(node.stats().nodes == alives_per_packet + 1);
  const Meter meter(state, packets_per_turn);
  for (auto _ : state) node.poll(rx);
}

void alives_known_10000(benchmark::State& state) {
  alives_known(state, 10'000);
}
void alives_known_100000(benchmark::State& state) {
  alives_known(state, 100'000);
}
void alives_newer_10000(benchmark::State& state) {
  alives_newer(state, 10'000);
}
void alives_newer_100000(benchmark::State& state) {
  alives_newer(state, 100'000);
}
void alives_new_10000(benchmark::State& state) {
  alives_new(state, 10'000);
}
void alives_new_100000(benchmark::State& state) {
  alives_new(state, 100'000);
}

BENCHMARK(lane_turn_32_pings_per_packet);
BENCHMARK(lane_turn_32_pings_sealed_per_packet);
BENCHMARK(compound_20_alives_decode_and_apply_known);
BENCHMARK(alives_known_10000);
BENCHMARK(alives_known_100000);
BENCHMARK(alives_newer_10000);
BENCHMARK(alives_newer_100000);
BENCHMARK(alives_new_10000)->UseManualTime()->Iterations(20);
BENCHMARK(alives_new_100000)->UseManualTime()->Iterations(3);

}  // namespace
}  // namespace starling::bench
