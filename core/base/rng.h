// Rng: the one source of chance of a shard, seeded, so that a run can be repeated.
//
// xoshiro256++ with its state drawn from the seed by splitmix64. A value owned by one shard; not
// for secrets.
#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>

#include "wire/base/check.h"
#include "wire/base/types.h"

namespace starling {

class Rng {
 public:
  explicit Rng(std::uint64_t seed) {
    for (std::uint64_t& word : state_) word = split_mix(seed);
  }

  std::uint64_t next() {
    const std::uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  // Uniform in [0, bound), without bias: the high half of a product, with the few products whose
  // low half would favour small results drawn again.
  template <std::integral T>
  T below(T bound) {
    CHECK(bound > 0);
    const auto range = static_cast<std::uint64_t>(bound);
    Wide product = static_cast<Wide>(next()) * range;
    if (static_cast<std::uint64_t>(product) < range) {
      const std::uint64_t biased = (0 - range) % range;
      while (static_cast<std::uint64_t>(product) < biased) {
        product = static_cast<Wide>(next()) * range;
      }
    }
    return static_cast<T>(static_cast<std::uint64_t>(product >> 64));
  }

  // Uniform in [0, 1), 53 bits.
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

  bool chance(double probability) { return uniform() < probability; }

  template <class T, std::size_t Extent>
  void shuffle(std::span<T, Extent> items) {
    for (std::size_t left = items.size(); left > 1; --left) {
      std::swap(items[left - 1], items[below(left)]);
    }
  }

  void fill(MutableBytes bytes) {
    while (!bytes.empty()) {
      const std::uint64_t word = next();
      const std::size_t count = bytes.size() < sizeof word ? bytes.size() : sizeof word;
      std::memcpy(bytes.data(), &word, count);
      bytes = bytes.subspan(count);
    }
  }

 private:
  __extension__ using Wide = unsigned __int128;

  static std::uint64_t split_mix(std::uint64_t& state) {
    state += 0x9e3779b97f4a7c15;
    std::uint64_t mixed = state;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
  }

  std::array<std::uint64_t, 4> state_{};
};

}  // namespace starling
