#include "io/dpdk/rtnetlink.h"

#include <gtest/gtest.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include <vector>

#include "io/address.h"

namespace starling::io {

namespace {

using Packet = std::vector<std::byte>;

template <class Part>
void append(Packet& packet, const Part& part) {
  const Bytes bytes = std::as_bytes(std::span(&part, 1));
  packet.insert(packet.end(), bytes.begin(), bytes.end());
}

void attribute(Packet& packet, unsigned short type, Bytes value) {
  append(packet, rtattr{static_cast<unsigned short>(4 + value.size()), type});
  packet.insert(packet.end(), value.begin(), value.end());
  packet.resize((packet.size() + 3) / 4 * 4);
}

void finish(Packet& packet) {
  const auto bytes = static_cast<std::uint32_t>(packet.size());
  std::memcpy(packet.data(), &bytes, sizeof bytes);
}

Packet message(std::uint16_t type, std::uint32_t sequence) {
  Packet packet;
  append(packet, nlmsghdr{0, type, 0, sequence, 0});
  return packet;
}

const IpAddress far = IpAddress::v4(192, 0, 2, 7), gateway = IpAddress::v4(10, 0, 0, 254),
                own = IpAddress::v4(10, 0, 0, 1);
const std::array<std::byte, 6> mac{std::byte{2}, {}, {}, {}, {}, std::byte{7}};

Packet route_answer(unsigned char type = RTN_UNICAST, bool with_gateway = true) {
  Packet packet = message(RTM_NEWROUTE, 5);
  rtmsg fixed{};
  fixed.rtm_family = AF_INET;
  fixed.rtm_type = type;
  append(packet, fixed);
  attribute(packet, RTA_DST, far.bytes());
  const std::uint32_t interface = 3;
  attribute(packet, RTA_OIF, std::as_bytes(std::span(&interface, 1)));
  attribute(packet, RTA_PREFSRC, own.bytes());
  if (with_gateway) attribute(packet, RTA_GATEWAY, gateway.bytes());
  finish(packet);
  return packet;
}

Packet neighbour_answer(std::uint16_t state, Bytes link = mac) {
  Packet packet = message(RTM_NEWNEIGH, 6);
  ndmsg fixed{};
  fixed.ndm_family = AF_INET;
  fixed.ndm_state = state;
  append(packet, fixed);
  attribute(packet, NDA_DST, gateway.bytes());
  if (!link.empty()) attribute(packet, NDA_LLADDR, link);
  finish(packet);
  return packet;
}

TEST(Rtnetlink, ReadsARoute) {
  const auto by_gateway = parse_route(route_answer(), 5, far);
  ASSERT_TRUE(by_gateway);
  EXPECT_EQ(by_gateway->interface, InterfaceIndex{3});
  EXPECT_EQ(by_gateway->next_hop, gateway);
  EXPECT_EQ(by_gateway->source, own);
  EXPECT_EQ(parse_route(route_answer(RTN_UNICAST, false), 5, far)->next_hop, far);
}

TEST(Rtnetlink, RefusesWhatIsNoWay) {
  EXPECT_FALSE(parse_route(route_answer(RTN_LOCAL), 5, far));
  EXPECT_FALSE(parse_route(route_answer(RTN_UNREACHABLE), 5, far));
  EXPECT_FALSE(parse_route(route_answer(), 6, far));  // another question's
  Packet refused = message(NLMSG_ERROR, 5);
  append(refused, nlmsgerr{-101, {}});
  finish(refused);
  EXPECT_FALSE(parse_route(refused, 5, far));
}

TEST(Rtnetlink, ReadsANeighbourInEveryState) {
  for (const int flag : {NUD_REACHABLE, NUD_DELAY, NUD_PROBE, NUD_PERMANENT, NUD_NOARP}) {
    const auto state = static_cast<std::uint16_t>(flag);
    const auto neighbour = parse_neighbour(neighbour_answer(state), 6);
    ASSERT_TRUE(neighbour) << state;
    EXPECT_TRUE(neighbour->fresh);
    EXPECT_EQ(neighbour->mac, MacAddress{mac});
  }
  const auto stale = parse_neighbour(neighbour_answer(NUD_STALE), 6);
  ASSERT_TRUE(stale);
  EXPECT_FALSE(stale->fresh);
  EXPECT_FALSE(parse_neighbour(neighbour_answer(NUD_INCOMPLETE, {}), 6));
  EXPECT_FALSE(parse_neighbour(neighbour_answer(NUD_FAILED), 6));
  EXPECT_FALSE(parse_neighbour(neighbour_answer(NUD_REACHABLE, Bytes(mac).first(4)), 6));
}

TEST(Rtnetlink, EveryTruncationStaysInside) {
  for (const Packet& whole : {route_answer(), neighbour_answer(NUD_REACHABLE)}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const Packet cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_FALSE(parse_route(cut, 5, far));
      EXPECT_FALSE(parse_neighbour(cut, 6));
    }
  }
}

TEST(Rtnetlink, RandomDamageStaysInside) {
  std::uint32_t state = 11;
  const auto draw = [&] { return (state = state * 1664525 + 1013904223) >> 8; };
  for (int round = 0; round < 50'000; ++round) {
    Packet packet = draw() % 2 == 0 ? route_answer() : neighbour_answer(NUD_REACHABLE);
    for (std::uint32_t i = 0; i <= draw() % 4; ++i) {
      packet[draw() % packet.size()] = static_cast<std::byte>(draw());
    }
    packet.resize(draw() % (packet.size() + 1));
    const Packet own_copy(packet);
    parse_route(own_copy, 5, far);
    parse_neighbour(own_copy, 6);
  }
}

TEST(Rtnetlink, RequestsFitTheirRoom) {
  std::array<std::byte, 16> raw{};
  raw[0] = std::byte{0xfd};
  std::array<std::byte, netlink_request_bytes_max> room;
  for (const IpAddress& address : {far, IpAddress(raw)}) {
    const std::size_t route = write_route_request(room, 1, address);
    EXPECT_EQ(route, 16 + 12 + 4 + address.bytes().size());
    const std::size_t neighbour = write_neighbour_request(room, 1, InterfaceIndex{1}, address);
    EXPECT_EQ(neighbour, 16 + 12 + 4 + address.bytes().size());
  }
}

// This machine's own kernel: its own addresses are no way out.
TEST(Rtnetlink, TheKernelAnswers) {
  auto netlink = Rtnetlink::open();
  ASSERT_TRUE(netlink) << netlink.error();
  EXPECT_FALSE(netlink->route(IpAddress::v4(127, 0, 0, 1)));
  EXPECT_FALSE(netlink->neighbour(InterfaceIndex{1}, IpAddress::v4(203, 0, 113, 77)));
  netlink->provoke(IpAddress::v4(127, 0, 0, 1), InterfaceIndex{1});
}

}  // namespace

}  // namespace starling::io
