#include "core/serf/coordinate.h"

#include <algorithm>
#include <cmath>

namespace starling {

namespace {

constexpr double error_max = 1.5;
constexpr double error_share = 0.25;     // Vivaldi's ce
constexpr double movement_share = 0.25;  // Vivaldi's cc
constexpr double height_min = 1e-5;
constexpr double gravity_rho = 150;
constexpr double next_to_nothing = 1e-6;
constexpr double ns_per_second = 1e9;

using Vector = std::array<double, Coordinate::dimensions>;

double length_of(const Vector& vector) {
  double sum = 0;
  for (const double part : vector) sum += part * part;
  return std::sqrt(sum);
}

Vector difference(const Vector& a, const Vector& b) {
  Vector result;
  for (std::size_t i = 0; i < result.size(); ++i) result[i] = a[i] - b[i];
  return result;
}

void stretch(Vector& vector, double factor) {
  for (double& part : vector) part *= factor;
}

Vector random_direction(Rng& rng) {
  Vector vector;
  for (double& part : vector) part = rng.uniform() - 0.5;
  const double length = length_of(vector);
  if (length > next_to_nothing) {
    stretch(vector, 1.0 / length);
    return vector;
  }
  Vector axis{};
  axis.front() = 1.0;
  return axis;
}

// std::max loses a NaN in its first argument; a reset depends on it.
double at_least(double value, double least) {
  return std::isnan(value) ? value : std::max(value, least);
}

}  // namespace

double seconds_of(Duration duration) {
  const std::int64_t count = duration.count();
  constexpr std::int64_t second = 1'000'000'000;
  return static_cast<double>(count / second) + static_cast<double>(count % second) / 1e9;
}

double raw_distance(const Coordinate& a, const Coordinate& b) {
  return length_of(difference(a.vector, b.vector)) + a.height + b.height;
}

Duration distance(const Coordinate& a, const Coordinate& b) {
  const double raw = raw_distance(a, b);
  const double adjusted = raw + a.adjustment + b.adjustment;
  const double ns = (adjusted > 0 ? adjusted : raw) * ns_per_second;
  // Beyond this no conversion is defined; the comparison is false for NaN, too.
  constexpr double limit = 9.2e18;
  if (!(ns > -limit && ns < limit)) return Duration::min();
  return Duration(static_cast<std::int64_t>(ns));
}

bool is_valid(const Coordinate& coordinate) {
  return std::ranges::all_of(coordinate.vector, [](double part) { return std::isfinite(part); }) &&
         std::isfinite(coordinate.error) && std::isfinite(coordinate.adjustment) &&
         std::isfinite(coordinate.height);
}

double LatencyFilter::push(double seconds) {
  if (count_ == size) {
    std::shift_left(samples_.begin(), samples_.end(), 1);
    --count_;
  }
  samples_[count_++] = seconds;
  const auto [low, high] = std::minmax(samples_[0], samples_[1]);
  if (count_ == 1) return samples_[0];
  return count_ == 2 ? high : std::clamp(samples_[2], low, high);
}

CoordinateProblem CoordinateClient::judge(const Coordinate& peer, Duration round_trip) {
  if (!is_valid(peer)) return CoordinateProblem::invalid;
  if (round_trip < Duration::zero() || round_trip > round_trip_max) {
    return CoordinateProblem::round_trip;
  }
  return CoordinateProblem::none;
}

CoordinateProblem CoordinateClient::update(LatencyFilter& filter, const Coordinate& peer,
                                           Duration round_trip) {
  const CoordinateProblem problem = judge(peer, round_trip);
  if (problem != CoordinateProblem::none) return problem;
  const double seconds = filter.push(seconds_of(round_trip));
  move(peer, seconds);
  adjust(peer, seconds);
  fall();
  if (!is_valid(coordinate_)) {
    coordinate_ = Coordinate{};
    ++resets_;
  }
  return CoordinateProblem::none;
}

// Moves us by `force` seconds away from `other`; a negative force draws us nearer.
void CoordinateClient::pull(double force, const Coordinate& other) {
  Vector direction = difference(coordinate_.vector, other.vector);
  const double length = length_of(direction);
  const bool apart = length > next_to_nothing;
  if (apart) {
    stretch(direction, 1.0 / length);
  } else {
    direction = random_direction(rng_);
  }
  for (std::size_t i = 0; i < direction.size(); ++i) {
    coordinate_.vector[i] += direction[i] * force;
  }
  if (!apart) return;
  const double height = (coordinate_.height + other.height) * force / length + coordinate_.height;
  coordinate_.height = at_least(height, height_min);
}

void CoordinateClient::move(const Coordinate& peer, double seconds) {
  const double estimate = seconds_of(distance(coordinate_, peer));
  const double measured = std::max(seconds, next_to_nothing);
  const double wrongness = std::abs(estimate - measured) / measured;
  const double errors = std::max(coordinate_.error + peer.error, next_to_nothing);
  // Who is sure of itself moves little towards who is not.
  const double weight = coordinate_.error / errors;
  const double error =
      error_share * weight * wrongness + coordinate_.error * (1.0 - error_share * weight);
  coordinate_.error = error > error_max ? error_max : error;
  pull(movement_share * weight * (measured - estimate), peer);
}

void CoordinateClient::adjust(const Coordinate& peer, double seconds) {
  errors_[next_error_] = seconds - raw_distance(coordinate_, peer);
  next_error_ = (next_error_ + 1) % window;
  double sum = 0;
  for (const double error : errors_) sum += error;
  coordinate_.adjustment = sum / (2.0 * static_cast<double>(window));
}

// Gravity keeps the cluster as a whole from drifting away.
void CoordinateClient::fall() {
  const Coordinate origin;
  const double far = seconds_of(distance(origin, coordinate_)) / gravity_rho;
  pull(-(far * far), origin);
}

}  // namespace starling
