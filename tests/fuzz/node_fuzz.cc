// A whole engine and whatever a peer without any manners sends it: afterwards it still answers a
// ping, its tables are within their bounds, and the peer's stream is over.
//
// The first byte says how: even, as datagrams (each with two bytes of length before it, the second
// may cut time short); odd, as one stream, cut where the rest of the byte says.
#include <string>

#include "tests/fuzz/fuzz.h"
#include "tests/support/lone_node.h"

namespace starling {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t members_max = 64;

EngineOptions options() {
  EngineOptions options = test::LoneNode::options_named("me");
  options.capacity.members_max = members_max;
  return options;
}

void send_datagrams(test::LoneNode& node, Bytes input) {
  while (input.size() >= 2) {
    const std::size_t announced = fuzz::take_byte(input);
    const std::uint8_t pause = fuzz::take_byte(input);
    const std::size_t count = std::min(input.size(), announced);
    node.receive(input.first(count));
    input = input.subspan(count);
    if (pause % 8 == 7) node.advance(100ms * (pause / 8));
  }
}

void send_stream(test::LoneNode& node, Bytes input, std::uint8_t cuts) {
  const StreamId id{stream_accepted_bit | 1};
  const Endpoint dialler{IpAddress::v4(127, 0, 0, 9), 40000};
  fuzz::ChunkSizes sizes(cuts);
  const auto event = [&](StreamEvent::Kind kind, Bytes part) {
    node.stream_event({.kind = kind, .stream = id, .peer = dialler, .bytes = part});
  };
  event(StreamEvent::Kind::accepted, {});
  while (!input.empty()) {
    const std::size_t count = std::min(sizes.next(), input.size());
    event(StreamEvent::Kind::readable, input.first(count));
    input = input.subspan(count);
  }
  event(StreamEvent::Kind::closed, {});
  event(StreamEvent::Kind::written, {});
  node.advance(node.options().swim.stream_timeout + 1ms);
  // The node may have dialled streams of its own meanwhile, to members that it heard of.
  bool over = false;
  for (const StreamOp& op : node.take_stream_ops()) {
    over |=
        op.stream == id && (op.kind == StreamOp::Kind::close || op.kind == StreamOp::Kind::finish);
  }
  CHECK(over);
}

void check_node(Bytes input) {
  const std::uint8_t how = fuzz::take_byte(input);
  test::LoneNode node(options());
  if (how % 2 == 0) {
    send_datagrams(node, input);
  } else {
    send_stream(node, input, how / 2);
  }
  node.advance(1s);
  node.take_packets();
  node.receive(test::from_hex("0082a44e6f6465a26d65a55365714e6f01"));
  bool acked = false;
  for (const test::SentPacket& packet : node.take_packets()) {
    for (const test::ByteVector& message : packet.messages) {
      acked |= !message.empty() && message[0] == std::byte{2};
    }
  }
  CHECK(acked);
  const Stats stats = node.stats();
  CHECK(stats.members <= members_max);
  CHECK(stats.nodes <= members_max);
}

}  // namespace
}  // namespace starling

FUZZ_TARGET(starling::check_node)
