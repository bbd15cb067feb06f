#include "agent/mdns_message.h"

#include <gtest/gtest.h>

#include <fstream>

#include <nlohmann/json.hpp>

namespace starling::agent {
namespace {

nlohmann::json vectors() {
  std::ifstream file(STARLING_SOURCE_DIR "/tests/vectors/serf.json");
  return nlohmann::json::parse(file)["mdns"];
}
std::vector<std::byte> from_hex(const std::string& hex) {
  std::vector<std::byte> out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out.push_back(static_cast<std::byte>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return out;
}
MdnsInstance node_a() {
  return {.service = mdns_service("prod"),
          .instance = "node-a",
          .host = "host1.",
          .address = IpAddress::v4(10, 0, 0, 5),
          .port = 7946,
          .text = "Serf 'prod' cluster"};
}

// The bytes that the real library makes.
TEST(MdnsMessage, WrittenAsRecorded) {
  EXPECT_EQ(encode_mdns_query(0x1234, mdns_service("prod")), from_hex(vectors()["query_hex"]));
  EXPECT_EQ(encode_mdns_answer(node_a()), from_hex(vectors()["response_hex"]));
}

TEST(MdnsMessage, ReadAsRecorded) {
  const auto query = decode_mdns(from_hex(vectors()["query_hex"]));
  ASSERT_TRUE(query);
  EXPECT_EQ(query->id, 0x1234);
  EXPECT_FALSE(query->response);
  ASSERT_EQ(query->questions.size(), 1U);
  EXPECT_EQ(query->questions[0].name, "_serf_prod._tcp.local");
  EXPECT_EQ(query->questions[0].type, DnsType::ptr);

  const auto answer = decode_mdns(from_hex(vectors()["response_hex"]));
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->response);
  ASSERT_EQ(answer->records.size(), 4U);
  EXPECT_EQ(answer->records[0].target, "node-a._serf_prod._tcp.local");
  EXPECT_EQ(answer->records[1].name, "node-a._serf_prod._tcp.local");
  EXPECT_EQ(answer->records[1].target, "host1");
  EXPECT_EQ(answer->records[1].port, 7946);
  EXPECT_EQ(answer->records[2].name, "host1");
  EXPECT_EQ(answer->records[2].address, IpAddress::v4(10, 0, 0, 5));
  EXPECT_EQ(answer->records[3].text, "Serf 'prod' cluster");
}

TEST(MdnsMessage, Ipv6AndNamesWithDots) {
  MdnsInstance instance = node_a();
  instance.instance = "a.b.c";
  instance.address = IpAddress(from_hex("fe800000000000000000000000000001"));
  const auto answer = decode_mdns(encode_mdns_answer(instance));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->records[0].target, "a.b.c._serf_prod._tcp.local");
  EXPECT_EQ(answer->records[2].type, DnsType::aaaa);
  EXPECT_EQ(answer->records[2].address, instance.address);
}

TEST(MdnsMessage, WhatDoesNotFitIsNotWritten) {
  MdnsInstance instance = node_a();
  instance.instance = std::string(64, 'x');
  EXPECT_TRUE(encode_mdns_answer(instance).empty());
  instance.instance = "a..b";
  EXPECT_TRUE(encode_mdns_answer(instance).empty());
  instance = node_a();
  instance.instance = std::string(63, 'x') + "." + std::string(63, 'y') + "." +
                      std::string(63, 'z') + "." + std::string(63, 'w');
  EXPECT_TRUE(encode_mdns_answer(instance).empty());
  EXPECT_TRUE(encode_mdns_query(1, mdns_service(std::string(80, 'c'))).empty());
}

TEST(MdnsMessage, CutPacketsAreRefused) {
  const std::vector<std::byte> whole = encode_mdns_answer(node_a());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(decode_mdns(Bytes(whole).first(size))) << size;
  }
}

TEST(MdnsMessage, PointersLeadBackwardsOnly) {
  // A question whose name points at itself, and one that points forwards.
  EXPECT_FALSE(decode_mdns(from_hex("000000000001000000000000c00c000c0001")));
  EXPECT_FALSE(decode_mdns(from_hex("000000000001000000000000c010000c000100")));
  // Two that point at each other.
  EXPECT_FALSE(
      decode_mdns(from_hex("000000000002000000000000"
                           "c012000c0001"
                           "c00c000c0001")));
}

TEST(MdnsMessage, OtherRecordsAreSkipped) {
  // One answer of type 47 (NSEC) for the root.
  const auto message = decode_mdns(from_hex("00008400000000010000000000002f00010000007800020102"));
  ASSERT_TRUE(message);
  EXPECT_TRUE(message->records.empty());
}

TEST(MdnsMessage, TooManyRecordsAreRefused) {
  EXPECT_FALSE(decode_mdns(from_hex("00008400000001010000ffff")));
}

}  // namespace
}  // namespace starling::agent
