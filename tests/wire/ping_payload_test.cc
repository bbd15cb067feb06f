#include "wire/ping_payload.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/serf_json.h"

namespace starling {
namespace {

using test::coordinate_json;
using test::from_hex;
using test::load_vectors;
using test::to_hex;

void expect_round_trip(const std::string& hex, const nlohmann::json& expected) {
  const auto coordinate = decode_ping_payload(from_hex(hex));
  ASSERT_TRUE(coordinate);
  EXPECT_EQ(coordinate_json(*coordinate), expected);
  std::array<std::byte, 256> room;
  Writer out(room);
  encode_ping_payload(*coordinate, out);
  EXPECT_EQ(to_hex(out.written()), hex);
}

TEST(PingPayload, decode_and_encode_every_recording) {
  std::size_t checked = 0;
  for (const auto& vector : load_vectors("serf.json")["message_bodies"]) {
    if (!vector["name"].get<std::string>().starts_with("ping_payload")) continue;
    auto expected = vector["decoded"];
    expected.erase("version");
    expect_round_trip(vector["hex"], expected);
    ++checked;
  }
  for (const auto& vector : load_vectors("serf.json")["live_udp"]) {
    if (vector["kind"] != "ping ack payload") continue;
    expect_round_trip(vector["payload_hex"], vector["decoded"]["coordinate"]);
    ++checked;
  }
  EXPECT_GE(checked, 4u);
}

TEST(PingPayload, a_fresh_coordinate_is_the_recorded_origin) {
  std::array<std::byte, 256> room;
  Writer out(room);
  encode_ping_payload(Coordinate{}, out);
  const auto& vectors = load_vectors("serf.json")["message_bodies"];
  const auto origin = std::ranges::find_if(
      vectors, [](const auto& vector) { return vector["name"] == "ping_payload_origin"; });
  ASSERT_NE(origin, vectors.end());
  EXPECT_EQ(to_hex(out.written()), (*origin)["hex"]);
}

TEST(PingPayload, refuses_other_versions_and_dimensions) {
  EXPECT_EQ(decode_ping_payload({}).error().fault, WireFault::truncated);
  EXPECT_EQ(decode_ping_payload(from_hex("0280")).error().fault, WireFault::unsupported);
  EXPECT_EQ(decode_ping_payload(from_hex("0180")).error().fault, WireFault::out_of_range);
  EXPECT_EQ(decode_ping_payload(from_hex("0181a3566563c0")).error().fault, WireFault::out_of_range);
  EXPECT_EQ(decode_ping_payload(from_hex("0181a35665639700000000000000")).error().fault,
            WireFault::out_of_range);
  EXPECT_EQ(decode_ping_payload(from_hex("0181a356656399000000000000000000")).error().fault,
            WireFault::out_of_range);
  const auto integers = decode_ping_payload(from_hex("0181a3566563980102030405060708"));
  ASSERT_TRUE(integers);
  EXPECT_EQ(integers->vector[7], 8.0);
  EXPECT_EQ(integers->error, 0.0) << "a missing field is zero";
}

TEST(PingPayload, passes_strange_numbers_on) {
  Coordinate strange;
  strange.height = std::nan("");
  std::array<std::byte, 256> room;
  Writer out(room);
  encode_ping_payload(strange, out);
  const auto again = decode_ping_payload(out.written());
  ASSERT_TRUE(again);
  EXPECT_TRUE(std::isnan(again->height));
}

}  // namespace
}  // namespace starling
