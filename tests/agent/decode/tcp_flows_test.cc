#include "agent/decode/tcp_flows.h"

#include <gtest/gtest.h>

namespace starling::agent::decode {
namespace {

struct Sent {
  std::uint32_t sequence;
  std::string_view text;
  bool syn = false;
  bool fin = false;
  bool reset = false;
};

Packet packet_of(const Sent& sent) {
  Packet packet;
  packet.kind = Packet::Kind::tcp;
  packet.source.port = 1;
  packet.destination.port = 2;
  packet.tcp = {.sequence = sent.sequence, .syn = sent.syn, .fin = sent.fin, .reset = sent.reset};
  packet.payload = as_bytes(sent.text);
  return packet;
}

std::vector<TcpStream> run(TcpFlows& flows, const std::vector<Sent>& segments) {
  std::vector<TcpStream> all;
  for (const Sent& sent : segments) {
    for (TcpStream& done : flows.add(packet_of(sent), 5)) all.push_back(std::move(done));
  }
  return all;
}

TEST(TcpFlows, ReorderedAndSentAgain) {
  TcpFlows flows({});
  const auto done = run(flows, {{99, "", true},
                                {104, "ef"},
                                {100, "ab"},
                                {100, "abc"},
                                {104, "efg", false, true},
                                {101, "bcd"},
                                {100, "abcd"}});
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(as_text(done[0].bytes), "abcdefg");
  EXPECT_TRUE(done[0].start_seen && !done[0].gap);
  EXPECT_TRUE(flows.finish().empty());
}

TEST(TcpFlows, SequenceNumbersWrapAround) {
  TcpFlows flows({});
  const auto done =
      run(flows, {{0xfffffffd, "", true}, {0, "cd", false, true}, {0xfffffffe, "ab"}});
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(as_text(done[0].bytes), "abcd");
}

TEST(TcpFlows, GapsAndMissingStarts) {
  TcpFlows flows({});
  EXPECT_TRUE(run(flows, {{10, "ab"}, {14, "ef"}}).empty());
  const auto left = flows.finish();
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(as_text(left[0].bytes), "ab");
  EXPECT_TRUE(left[0].gap && !left[0].start_seen);
}

TEST(TcpFlows, ResetAndPortsUsedAgain) {
  TcpFlows flows({});
  const auto done = run(flows, {{0, "", true},
                                {1, "one"},
                                {500, "", true},
                                {501, "two"},
                                {504, "", false, false, true},
                                {501, "two"}});
  ASSERT_EQ(done.size(), 2U);
  EXPECT_EQ(as_text(done[0].bytes), "one");
  EXPECT_EQ(as_text(done[1].bytes), "two");
  EXPECT_TRUE(flows.finish().empty());
}

TEST(TcpFlows, WhatIsTooLargeIsGivenUp) {
  TcpFlows flows({.bytes_max = 4, .flows_max = 1});
  EXPECT_TRUE(run(flows, {{0, "", true}, {1, "abc"}, {4, "de"}, {6, "fg"}}).empty());
  Packet other = packet_of({0, "x"});
  other.source.port = 9;
  flows.add(other, 0);
  EXPECT_EQ(flows.refused(), 1U);
  const auto left = flows.finish();
  ASSERT_EQ(left.size(), 1U);
  EXPECT_TRUE(left[0].too_large && left[0].bytes.empty());
  flows.add(other, 0);  // in the place of the closed one
  EXPECT_EQ(flows.finish().size(), 1U);
}

}  // namespace
}  // namespace starling::agent::decode
