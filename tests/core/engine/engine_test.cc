// The public door: creation, no allocation after it, the same inputs give the same outputs.
#include <gtest/gtest.h>

#include "tests/support/alloc_counter.h"
#include "tests/support/arena_block.h"
#include "tests/support/lone_node.h"
#include "tests/support/peer_messages.h"
#include "wire/serf_messages.h"

namespace starling::test {
namespace {

using namespace std::chrono_literals;

ByteVector encoded(const auto& message) {
  std::array<std::byte, 2048> room;
  Writer out(room);
  encode(message, out);
  return to_vector(out.written());
}

TEST(HotPath, AllocatesNothing) {
  EngineOptions options = LoneNode::options_named("me");
  options.compress = true;
  ArenaBlock memory(Engine::footprint(options) + 4096);
  Instant now{1s};
  auto engine = Engine::create(options, memory.arena().bytes(Engine::footprint(options)), now);
  ASSERT_TRUE(engine) << engine.error();

  std::vector<ByteVector> datagrams;
  for (std::uint8_t host = 2; host < 40; ++host) {
    const std::string name = "member-" + std::to_string(host);
    datagrams.push_back(encoded(Peer{.name = name, .host = host}.alive(1)));
    datagrams.push_back(encoded(suspect(name, 1, "member-2")));
    datagrams.push_back(encoded(suspect(name, 1, "member-3")));
    datagrams.push_back(encoded(Peer{.name = name, .host = host}.alive(2)));
    datagrams.push_back(encoded(dead(name, 2, "member-2")));
  }
  datagrams.push_back(encoded(suspect("me", 3, "member-2")));
  for (std::uint32_t i = 1; i < 20; ++i) {
    datagrams.push_back(encoded(Ping{.sequence = SequenceNumber{i}, .node = "me"}));
    datagrams.push_back(encoded(Ack{.sequence = SequenceNumber{i}, .payload = {}}));
    std::array<std::byte, 256> room;
    Writer out(room);
    out.u8(8);
    encode(UserEvent{.time = LamportTime{i}, .name = "deploy", .payload = as_bytes("x")}, out);
    datagrams.push_back(to_vector(out.written()));
  }
  datagrams.push_back(from_hex("ff00"));

  std::vector<std::byte> rooms(Lane::blanks_wanted * options.packet_room_bytes());
  std::array<TxPacket, Lane::blanks_wanted> blanks;
  std::uint64_t filled = 0;
  const AllocationCounter allocations;
  for (int round = 0; round < 20; ++round) {
    for (const ByteVector& datagram : datagrams) {
      const RxPacket packet{
          .from = {IpAddress::v4(127, 0, 0, 9), 7946}, .bytes = datagram, .cookie = 0};
      for (std::size_t i = 0; i < blanks.size(); ++i) {
        blanks[i].room = MutableBytes(rooms).subspan(i * options.packet_room_bytes(),
                                                     options.packet_room_bytes());
      }
      now += 3ms;
      filled += engine->lane().poll(now, std::span(&packet, 1), blanks).filled;
      engine->lane().take_stream_ops();
      engine->events().drain(1000, [](const Event&) {});
    }
  }
  EXPECT_EQ(allocations.count(), 0u);
  EXPECT_GT(filled, 300u) << "it must have had something to do";
}

TEST(Determinism, TheSameInputsGiveTheSameBytes) {
  const auto run = [](std::uint64_t seed) {
    EngineOptions options = LoneNode::options_named("me");
    options.seed = seed;
    LoneNode node(options);
    for (std::uint8_t host = 2; host < 12; ++host) {
      const std::string name(1, static_cast<char>('a' + host));
      node.receive_message(Peer{.name = name, .host = host}.alive(1));
    }
    node.advance(30s);
    std::vector<ByteVector> sent;
    for (const SentPacket& packet : node.take_packets()) sent.push_back(packet.bytes);
    return sent;
  };
  EXPECT_EQ(run(1), run(1));
  EXPECT_NE(run(1), run(2));
}

TEST(Create, SaysWhatIsWrong) {
  EngineOptions options = LoneNode::options_named("me");
  ArenaBlock memory(Engine::footprint(options) + 4096);
  const MutableBytes block = memory.arena().bytes(Engine::footprint(options));
  const auto small = Engine::create(options, block.first(4096), Instant{});
  ASSERT_FALSE(small);
  EXPECT_NE(small.error().find("bytes of memory"), std::string::npos);
  options.name = "";
  const auto nameless = Engine::create(options, block, Instant{});
  ASSERT_FALSE(nameless);
  EXPECT_EQ(nameless.error(), "name is empty");
}

TEST(FullRings, MemberRowsArriveLaterAndNoneIsLost) {
  EngineOptions options = LoneNode::options_named("me");
  options.capacity.event_ring_bytes = 4096;  // a dozen rows
  options.capacity.members_max = 300;
  options.capacity.command_ring_bytes = 4096;
  ArenaBlock memory(Engine::footprint(options) + 4096);
  Instant now{1s};
  auto engine = Engine::create(options, memory.arena().bytes(Engine::footprint(options)), now);
  ASSERT_TRUE(engine) << engine.error();
  const auto turn = [&](Bytes datagram) {
    std::vector<std::byte> rooms(Lane::blanks_wanted * options.packet_room_bytes());
    std::array<TxPacket, Lane::blanks_wanted> blanks;
    for (std::size_t i = 0; i < blanks.size(); ++i) {
      blanks[i].room =
          MutableBytes(rooms).subspan(i * options.packet_room_bytes(), options.packet_room_bytes());
    }
    const RxPacket packet{
        .from = {IpAddress::v4(127, 0, 0, 9), 7946}, .bytes = datagram, .cookie = 0};
    now += 1ms;
    engine->lane().poll(now, std::span(&packet, datagram.empty() ? 0u : 1u), blanks);
  };
  for (std::uint8_t host = 2; host < 252; ++host) {
    const std::string name = "member-" + std::to_string(host);
    turn(encoded(Peer{.name = name, .host = host}.alive(1)));
  }
  std::size_t joined = 0;
  for (int i = 0; i < 200; ++i) {
    engine->events().drain(1000, [&](const Event& event) {
      joined += event.kind == Event::Kind::member && event.change == MemberEventKind::join;
    });
    turn({});
  }
  EXPECT_EQ(joined, 251u);
}

}  // namespace
}  // namespace starling::test
