// Network coordinates: where a member seems to stand, so that round trips can be estimated.
//
// protocol/serf section 14. Every answered probe is a measurement: it moves our own coordinate as
// if a spring as long as the round trip lay between the two members (Vivaldi). Eight dimensions, a
// height for what every path has in common, and an adjustment for the errors of late. The same
// arithmetic in the same order as Serf's, so that equal measurements give equal bits; that is why
// distances inside are whole nanoseconds. Everything is in seconds but what has a Duration's type.
//
// Values without memory of their own; one thread.
#pragma once

#include <array>
#include <cstdint>

#include "core/base/rng.h"
#include "core/base/time.h"
#include "wire/ping_payload.h"

namespace starling {

// As Go's Duration.Seconds.
double seconds_of(Duration duration);

// The estimate without adjustments, in seconds.
double raw_distance(const Coordinate& a, const Coordinate& b);
// The estimated round trip. What no number of nanoseconds can hold gives Duration::min().
Duration distance(const Coordinate& a, const Coordinate& b);

// No part is infinite or not a number.
bool is_valid(const Coordinate& coordinate);

// The last round trips to one peer: their median keeps single late packets out.
class LatencyFilter {
 public:
  static constexpr std::size_t size = 3;
  // Takes a sample in and gives the median; of two samples the larger.
  double push(double seconds);

 private:
  std::array<double, size> samples_{};  // oldest first
  std::uint32_t count_ = 0;
};

enum class CoordinateProblem : std::uint8_t {
  none,
  invalid,     // the peer's coordinate is not finite
  round_trip,  // negative or above round_trip_max
};

// Our own coordinate and what moves it.
class CoordinateClient {
 public:
  static constexpr std::size_t window = 20;  // measurements that the adjustment looks back at
  static constexpr Duration round_trip_max = std::chrono::seconds(10);

  // `seed`: two members that stand at one point part in a random direction.
  explicit CoordinateClient(std::uint64_t seed) : rng_(seed) {}

  // Whether update() would take this measurement.
  static CoordinateProblem judge(const Coordinate& peer, Duration round_trip);
  // One measurement; `filter` is the peer's own. On a problem nothing changes.
  CoordinateProblem update(LatencyFilter& filter, const Coordinate& peer, Duration round_trip);

  const Coordinate& coordinate() const { return coordinate_; }
  void set_coordinate(const Coordinate& coordinate) { coordinate_ = coordinate; }
  // How often the result was not finite, so that the coordinate began afresh.
  std::uint64_t resets() const { return resets_; }

 private:
  void pull(double force, const Coordinate& other);
  void move(const Coordinate& peer, double seconds);
  void adjust(const Coordinate& peer, double seconds);
  void fall();

  Coordinate coordinate_;
  std::array<double, window> errors_{};  // a ring; survives a reset
  std::size_t next_error_ = 0;
  std::uint64_t resets_ = 0;
  Rng rng_;
};

}  // namespace starling
