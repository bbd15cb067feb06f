#include "agent/decode/capture.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/agent/decode/packets.h"
#include "tests/support/vectors.h"

namespace starling::agent::decode {
namespace {

std::string little_endian(std::uint32_t value) {
  const std::string big = big_endian(value, 4);
  return {big.rbegin(), big.rend()};
}

// A classic pcap file of Ethernet frames, one a millisecond.
class CaptureFixture : public testing::Test {
 protected:
  CaptureFixture()
      : path_(std::filesystem::temp_directory_path() /
              ("starling_capture_" + std::to_string(getpid()) + ".pcap")) {}
  ~CaptureFixture() override { std::filesystem::remove(path_); }

  void add(const std::string& ip) {
    const std::string frame = ethernet(0x0800, ip);
    const auto size = static_cast<std::uint32_t>(frame.size());
    packets_ += little_endian(1'700'000'000) + little_endian(1000 * ++frames_) +
                little_endian(size) + little_endian(size) + frame;
  }

  std::vector<Json> decode(std::vector<std::uint16_t> ports = {7946}) {
    std::ofstream(path_, std::ios::binary)
        << little_endian(0xa1b2c3d4) << std::string("\2\0\4\0", 4) << little_endian(0)
        << little_endian(0) << little_endian(65'535) << little_endian(1) << packets_;
    Decoder decoder({});
    std::ostringstream out;
    const auto counts = decode_capture({.path = path_, .ports = std::move(ports)}, decoder, out);
    EXPECT_TRUE(counts) << counts.error();
    counts_ = counts.value_or(CaptureCounts{});
    std::vector<Json> lines;
    std::istringstream in(out.str());
    for (std::string line; std::getline(in, line);) lines.push_back(Json::parse(line));
    return lines;
  }

  CaptureCounts counts_;

 private:
  std::filesystem::path path_;
  std::string packets_;
  std::uint32_t frames_ = 0;
};

std::string vector_bytes(std::string_view id) {
  for (const auto& vector : test::load_vectors("memberlist.json")["vectors"]) {
    if (vector["id"] == id) {
      return std::string(as_text(test::from_hex(vector["hex"].get<std::string>())));
    }
  }
  ADD_FAILURE() << id;
  return {};
}

TEST_F(CaptureFixture, DatagramsAndReorderedStream) {
  const std::string message = vector_bytes("pushpull-join-c2s");
  add(ipv4(17, udp(7946, 7946, vector_bytes("ping-full"))));
  add(ipv4(17, udp(53, 53, "dns")));
  add(ipv4(6, tcp(40'000, 7946, {.sequence = 9, .flags = 2}, "")));
  add(ipv4(6, tcp(40'000, 7946, {.sequence = 60, .flags = 1}, message.substr(50))));
  add(ipv4(6, tcp(40'000, 7946, {.sequence = 10}, message.substr(0, 20))));
  add(ipv4(6, tcp(40'000, 7946, {.sequence = 10}, message.substr(0, 50))));
  const auto lines = decode();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0]["time"], "2023-11-14T22:13:20.001000Z");
  EXPECT_EQ(lines[0]["source"], "10.0.0.1:7946");
  EXPECT_EQ(lines[0]["destination"], "10.0.0.2:7946");
  EXPECT_EQ(lines[0]["messages"][0]["type"], "ping");
  EXPECT_EQ(lines[1]["source"], "10.0.0.1:40000");
  EXPECT_EQ(lines[1]["messages"][0]["type"], "pushPull");
  EXPECT_EQ(counts_.frames, 6U);
  EXPECT_EQ(counts_.datagrams, 1U);
  EXPECT_EQ(counts_.streams, 1U);
  EXPECT_EQ(counts_.bad, 0U);
  EXPECT_EQ(counts_.passed_over, 1U);
}

TEST_F(CaptureFixture, BadPacketsAreCounted) {
  add(ipv4(17, udp(1, 7946, "\x0e\x80")));
  add(ipv4(17, udp(1, 7946, "first"), 0x2000));
  add(ipv4(6, tcp(2, 7946, {.sequence = 9, .flags = 2}, "")));
  add(ipv4(6, tcp(2, 7946, {.sequence = 20}, "late")));
  add(ipv4(6, tcp(2, 7946, {.sequence = 10}, "\x06")));
  const auto lines = decode();
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0]["error"]["layer"], "message");
  EXPECT_EQ(lines[1]["error"]["layer"], "ip");
  EXPECT_EQ(lines[2]["error"].dump(),
            R"({"layer":"tcp","field":"sequence","fault":"truncated","offset":1})");
  EXPECT_EQ(counts_.bad, 3U);
}

TEST_F(CaptureFixture, AllPorts) {
  add(ipv4(17, udp(1, 2, vector_bytes("nack"))));
  EXPECT_EQ(decode().size(), 0U);
  EXPECT_EQ(decode({}).size(), 1U);
}

TEST(Capture, FilesThatAreNone) {
  Decoder decoder({});
  std::ostringstream out;
  EXPECT_FALSE(decode_capture({.path = "/nonexistent", .ports = {}}, decoder, out));
}

}  // namespace
}  // namespace starling::agent::decode
