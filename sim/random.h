// The simulator's randomness: small independent streams, all grown from the one seed.
//
// Every purpose (latency of datagrams, order of polling, the fault plan ...) forks its own stream,
// so that switching one kind of fault off does not shift the draws of another. A draw is made
// whether or not its outcome is used. Values; one thread.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "core/base/time.h"
#include "wire/base/check.h"

namespace starling::sim {

// SplitMix64: 64 bits of state, passes the usual statistical batteries, seeds itself well.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15ULL;
    return mix(state_);
  }

  // A stream for one purpose. Does not advance this one.
  Random fork(std::string_view purpose, std::uint64_t number = 0) const {
    std::uint64_t hash = mix(state_ ^ 0x5851f42d4c957f2dULL);
    for (const char letter : purpose) {
      hash = mix(hash ^ static_cast<std::uint64_t>(static_cast<unsigned char>(letter)));
    }
    return Random(mix(hash ^ mix(number + 1)));
  }

  // 0 .. bound-1. The bias of the multiplication is below 2^-32 for every bound used here.
  std::uint64_t below(std::uint64_t bound) {
    CHECK(bound > 0 && bound <= 0xffff'ffffULL);
    return ((next() >> 32) * bound) >> 32;
  }
  std::uint64_t between(std::uint64_t low, std::uint64_t high) {  // both inclusive
    return low + below(high - low + 1);
  }
  // [0, 1)
  double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  bool chance(double probability) { return unit() < probability; }

  Duration between(Duration low, Duration high) {
    return low +
           Duration(static_cast<Duration::rep>(unit() * static_cast<double>((high - low).count())));
  }
  // Evenly over the orders of magnitude: as many draws between 10 and 100 ms as between 1 and 10 s.
  Duration across(Duration low, Duration high) {
    const double from = std::log(static_cast<double>(low.count()));
    const double to = std::log(static_cast<double>(high.count()));
    return Duration(static_cast<Duration::rep>(std::exp(from + unit() * (to - from))));
  }

  template <class Item>
  void shuffle(std::span<Item> items) {
    for (std::size_t left = items.size(); left > 1; --left) {
      std::swap(items[left - 1], items[static_cast<std::size_t>(below(left))]);
    }
  }

 private:
  static std::uint64_t mix(std::uint64_t value) {
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
    return value ^ (value >> 31);
  }
  std::uint64_t state_;
};

}  // namespace starling::sim
