// InstantColumn: one instant a row in four bytes, for tables of a million rows.
//
// The idea: counts of 1/64 s, kept modulo 2^32 and read back relative to the newest instant
// written. So a row is right as long as it was written within the last 2.1 years before that,
// however long the program runs. Rounding is upwards: what is read is never before what was written
// and less than 1/64 s after it, so "longer ago than x" is never true too early; whole seconds stay
// exact. Owned by the table whose rows it times, used by its thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "core/base/arena.h"
#include "core/base/time.h"

namespace starling {

class InstantColumn {
 public:
  static constexpr Duration tick = std::chrono::microseconds(15'625);

  InstantColumn(Arena& arena, std::uint32_t rows) : ticks_(arena.make<std::uint32_t>(rows)) {}
  static std::size_t footprint(std::uint32_t rows) {
    Footprint sum;
    sum.make<std::uint32_t>(rows);
    return sum.total();
  }

  // Instants at or before Instant{} are kept as Instant{}.
  void set(std::size_t row, Instant at) {
    if (at <= Instant{}) return clear(row);
    auto count = static_cast<std::uint64_t>((at - Instant{} + tick - Duration(1)) / tick);
    // The one count in 2^32 that looks like "never" is a tick late.
    if (static_cast<std::uint32_t>(count) == never) ++count;
    newest_ = std::max(newest_, count);
    ticks_[row] = static_cast<std::uint32_t>(count);
  }
  // Reads as Instant{}. Does not write to a row that reads so already: untouched pages stay so.
  void clear(std::size_t row) {
    if (ticks_[row] != never) ticks_[row] = never;
  }
  Instant at(std::size_t row) const {
    const std::uint32_t stored = ticks_[row];
    if (stored == never) return Instant{};
    const std::uint32_t age = static_cast<std::uint32_t>(newest_) - stored;
    return Instant{} + static_cast<std::int64_t>(newest_ - age) * tick;
  }
  void prefetch(std::size_t row) const { __builtin_prefetch(&ticks_[row]); }

 private:
  static constexpr std::uint32_t never = 0;

  std::span<std::uint32_t> ticks_;
  std::uint64_t newest_ = 0;  // of all ever written, in ticks
};

}  // namespace starling
