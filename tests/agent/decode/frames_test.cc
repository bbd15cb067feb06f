#include "agent/decode/frames.h"

#include <gtest/gtest.h>
#include <pcap/dlt.h>

#include "tests/agent/decode/packets.h"

namespace starling::agent::decode {
namespace {

std::string parsed(int link, const std::string& frame) {
  const auto packet = parse_frame(link, as_bytes(frame));
  if (!packet) return std::string(packet.error().layer) + " " + packet.error().field;
  if (packet->kind == Packet::Kind::other) return "other";
  if (packet->kind == Packet::Kind::later_fragment) return "later fragment";
  return std::to_string(packet->source.port) + ">" + std::to_string(packet->destination.port) +
         " " + std::string(as_text(packet->payload)) + (packet->cut_short ? " cut" : "") +
         (packet->fragment ? " fragment" : "");
}

TEST(Frames, EveryLinkType) {
  const std::string ip = ipv4(17, udp(1, 2, "hi"));
  EXPECT_EQ(parsed(DLT_EN10MB, ethernet(0x0800, ip) + "padding"), "1>2 hi");
  EXPECT_EQ(parsed(DLT_EN10MB, ethernet(0x8100, big_endian(5, 2) + big_endian(0x0800, 2) + ip)),
            "1>2 hi");
  EXPECT_EQ(parsed(DLT_LINUX_SLL, std::string(14, 'x') + big_endian(0x0800, 2) + ip), "1>2 hi");
  EXPECT_EQ(parsed(DLT_LINUX_SLL2, big_endian(0x0800, 2) + std::string(18, 'x') + ip), "1>2 hi");
  EXPECT_EQ(parsed(DLT_RAW, ip), "1>2 hi");
  EXPECT_EQ(parsed(DLT_NULL, std::string("\2\0\0\0", 4) + ip), "1>2 hi");
  EXPECT_EQ(parsed(DLT_LOOP, std::string("\0\0\0\2", 4) + ip), "1>2 hi");
  EXPECT_EQ(parsed(DLT_EN10MB, ethernet(0x0806, "arp")), "other");
  EXPECT_FALSE(is_known_link(999));
  EXPECT_EQ(parsed(999, ip), "link ");
}

TEST(Frames, Ipv6WithExtensionHeaders) {
  const std::string segment = tcp(3, 4, {.sequence = 77, .flags = 3}, "abc");
  EXPECT_EQ(parsed(DLT_RAW, ipv6(6, segment)), "3>4 abc");
  const std::string options = std::string("\x06\x00", 2) + std::string(6, '\0');
  const std::string frame = ipv6(0, options + segment);
  EXPECT_EQ(parsed(DLT_RAW, frame), "3>4 abc");
  const auto packet = parse_frame(DLT_RAW, as_bytes(frame));
  EXPECT_EQ(packet->tcp.sequence, 77U);
  EXPECT_TRUE(packet->tcp.syn && packet->tcp.fin && !packet->tcp.reset);
}

TEST(Frames, Fragments) {
  EXPECT_EQ(parsed(DLT_RAW, ipv4(17, udp(1, 2, "hi"), 0x2000)), "1>2 hi fragment");
  EXPECT_EQ(parsed(DLT_RAW, ipv4(17, "rest", 0x0001)), "later fragment");
}

TEST(Frames, CutAnywhereGivesNoMoreThanThereIs) {
  const std::string frame = ethernet(0x0800, ipv4(6, tcp(1, 2, {}, "payload")));
  for (std::size_t size = 0; size < frame.size(); ++size) {
    const auto packet = parse_frame(DLT_EN10MB, as_bytes(frame).first(size));
    if (size < frame.size() - 7) {
      EXPECT_FALSE(packet) << size;
    } else {
      EXPECT_TRUE(packet && packet->cut_short) << size;
    }
  }
  EXPECT_EQ(parsed(DLT_EN10MB, frame), "1>2 payload");
}

TEST(Frames, LengthsThatLie) {
  std::string short_header = ipv4(17, udp(1, 2, "hi"));
  short_header[0] = 0x44;
  EXPECT_EQ(parsed(DLT_RAW, short_header), "ipv4 header length");
  std::string short_total = ipv4(17, udp(1, 2, "hi"));
  short_total[3] = 19;
  EXPECT_EQ(parsed(DLT_RAW, short_total), "ipv4 total length");
  std::string short_udp = ipv4(17, udp(1, 2, "hi"));
  short_udp[25] = 7;
  EXPECT_EQ(parsed(DLT_RAW, short_udp), "udp length");
}

}  // namespace
}  // namespace starling::agent::decode
