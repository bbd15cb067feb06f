// The arithmetic of network coordinates, held against Serf's own bits.
#include "core/serf/coordinate.h"

#include <bit>
#include <limits>
#include <map>

#include <gtest/gtest.h>

#include "tests/support/vectors.h"

namespace starling::test {
namespace {

using namespace std::chrono_literals;

Coordinate coordinate_of(const nlohmann::json& json) {
  Coordinate coordinate;
  const nlohmann::json& vector = json["Vec"];
  EXPECT_EQ(vector.size(), coordinate.vector.size());
  for (std::size_t i = 0; i < vector.size(); ++i) coordinate.vector.at(i) = vector[i];
  coordinate.error = json["Error"];
  coordinate.adjustment = json["Adjustment"];
  coordinate.height = json["Height"];
  return coordinate;
}

// The bytes of the number, most significant first.
std::string bits(double value) {
  std::array<std::byte, 8> room;
  Writer out(room);
  out.u64(std::bit_cast<std::uint64_t>(value));
  return to_hex(room);
}

void expect_bits(const Coordinate& coordinate, const nlohmann::json& expected,
                 const std::string& where) {
  std::vector<double> parts(coordinate.vector.begin(), coordinate.vector.end());
  parts.insert(parts.end(), {coordinate.error, coordinate.adjustment, coordinate.height});
  ASSERT_EQ(parts.size(), expected.size());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    EXPECT_EQ(bits(parts[i]), expected[i].get<std::string>()) << where << ", part " << i;
  }
}

// A peer that the JSON can only describe in words; nullopt: not a coordinate of eight dimensions.
std::optional<Coordinate> special_peer(const std::string& note) {
  Coordinate peer;
  if (note.find("NaN") != std::string::npos) {
    peer.vector[3] = std::numeric_limits<double>::quiet_NaN();
  } else if (note.find("Inf") != std::string::npos) {
    peer.error = std::numeric_limits<double>::infinity();
  } else {
    return std::nullopt;
  }
  return peer;
}

TEST(CoordinateDistance, AsRecorded) {
  for (const nlohmann::json& each : load_vectors("coordinate.json")["distances"]) {
    const Coordinate a = coordinate_of(each["A"]);
    const Coordinate b = coordinate_of(each["B"]);
    EXPECT_EQ(distance(a, b).count(), each["distance_ns"].get<std::int64_t>()) << each.dump();
    EXPECT_DOUBLE_EQ(raw_distance(a, b), each["raw_seconds_expected"].get<double>());
  }
}

TEST(CoordinateDistance, OfWhatIsNotANumberIsNotUndefined) {
  Coordinate a;
  a.vector[0] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(distance(a, Coordinate{}), Duration::min());
  a.vector[0] = 1e300;
  EXPECT_EQ(distance(a, Coordinate{}), Duration::min());
}

TEST(CoordinateClient, BitForBitAsRecorded) {
  std::size_t compared = 0;
  for (const nlohmann::json& sequence : load_vectors("coordinate.json")["sequences"]) {
    CoordinateClient client(1);
    client.set_coordinate(coordinate_of(sequence["start"]));
    std::map<std::string, LatencyFilter> filters;
    std::size_t number = 0;
    for (const nlohmann::json& step : sequence["steps"]) {
      const std::string where =
          sequence["name"].get<std::string>() + " step " + std::to_string(number++);
      const auto peer = step.contains("peer") ? std::optional(coordinate_of(step["peer"]))
                                              : special_peer(step["peer_note"]);
      if (!peer) continue;  // other dimensions: the decoder's business
      const Duration round_trip{step["rtt_ns"].get<std::int64_t>()};
      const CoordinateProblem problem = client.update(filters[step["node"]], *peer, round_trip);
      EXPECT_EQ(problem != CoordinateProblem::none, step.contains("error")) << where;
      expect_bits(client.coordinate(), step["result"]["bits_vec_error_adj_height"], where);
      EXPECT_EQ(client.resets(), step["resets"].get<std::uint64_t>()) << where;
      ++compared;
    }
  }
  EXPECT_GT(compared, 100u);
}

TEST(CoordinateClient, SaysWhatIsWrong) {
  Coordinate peer;
  EXPECT_EQ(CoordinateClient::judge(peer, 0ns), CoordinateProblem::none);
  EXPECT_EQ(CoordinateClient::judge(peer, 10s), CoordinateProblem::none);
  EXPECT_EQ(CoordinateClient::judge(peer, -1ns), CoordinateProblem::round_trip);
  EXPECT_EQ(CoordinateClient::judge(peer, 10s + 1ns), CoordinateProblem::round_trip);
  peer.height = -std::numeric_limits<double>::infinity();
  EXPECT_EQ(CoordinateClient::judge(peer, 1ms), CoordinateProblem::invalid);
}

// Two members at one point have no direction to part in: each draws its own.
TEST(CoordinateClient, PartsFromAPeerAtTheSamePlace) {
  CoordinateClient one(1), other(2);
  LatencyFilter filter, another;
  ASSERT_EQ(one.update(filter, Coordinate{}, 10ms), CoordinateProblem::none);
  ASSERT_EQ(other.update(another, Coordinate{}, 10ms), CoordinateProblem::none);
  EXPECT_GT(raw_distance(one.coordinate(), Coordinate{}), 1e-4);
  EXPECT_NE(one.coordinate().vector, other.coordinate().vector);
}

TEST(LatencyFilter, GivesTheMedianOfThree) {
  LatencyFilter filter;
  EXPECT_EQ(filter.push(5), 5);
  EXPECT_EQ(filter.push(1), 5) << "of two the larger";
  EXPECT_EQ(filter.push(3), 3);
  EXPECT_EQ(filter.push(9), 3) << "the first one is forgotten";
  EXPECT_EQ(filter.push(9), 9);
}

}  // namespace
}  // namespace starling::test
