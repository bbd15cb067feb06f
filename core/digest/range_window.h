// RangeWindow: the ranges of buckets that are on their way at one time, and what has come of each.
//
// A range is fetched in pages of one datagram. Each slot remembers which pages came and a 32-bit
// fingerprint of each name in them, to know afterwards which rows the peer has not. Part of an
// exchange. All memory from the arena.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "core/base/arena.h"
#include "core/base/bucket.h"
#include "core/base/time.h"

namespace starling {

// Ranges under way: at about five pages each that is what a socket's buffer holds for a round trip.
inline constexpr std::size_t ranges_max = 16;
// Pages of one range: 90 KB, that is 3000 rows of 30 bytes in one bucket, or twelve million
// members.
inline constexpr std::uint32_t range_pages_max = 64;
// Rows that a range should have, about: five pages.
inline constexpr std::uint32_t range_rows = 240;

struct RangeSlot {
  static constexpr std::uint32_t fingerprints_max = 1024;  // four times range_rows

  bool used = false;
  Bucket first{};
  std::uint32_t buckets = 0;
  std::uint32_t pages = 0;        // known once the first one came; 0 before
  std::uint64_t pages_come = 0;   // a bit for each
  std::uint64_t pages_asked = 0;  // likewise
  std::uint32_t asks = 0;
  std::uint32_t wave = 0;  // round trips before this one was asked for
  Instant due{};
  std::uint64_t sum_asked = 0;  // of our rows when we asked
  std::uint64_t sum_peer = 0;   // of the peer's rows, as it said last
  std::uint32_t fingerprints = 0;
  std::span<std::uint32_t> names;

  bool complete() const {
    return pages > 0 &&
           pages_come == (pages == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << pages) - 1);
  }
};

class RangeWindow {
 public:
  explicit RangeWindow(Arena& arena);
  static std::size_t footprint();

  void clear();
  // Nothing when all slots are used.
  RangeSlot* open(Bucket first, std::uint32_t buckets);
  RangeSlot* find(Bucket first, std::uint32_t buckets);
  void close(RangeSlot& slot) { slot.used = false; }
  bool empty() const;
  std::span<RangeSlot> slots() { return slots_; }
  std::span<const RangeSlot> slots() const { return slots_; }

  // A name of the range that the peer has. When there is no more room names are forgotten, which
  // costs bytes only: our rows of those names are sent although they need not be.
  static void saw(RangeSlot& slot, NameHash name);
  static bool has_seen(const RangeSlot& slot, NameHash name);
  // The same for a list of fingerprints in ascending order.
  static bool has_seen(std::span<const std::uint32_t> fingerprints, NameHash name);
  // What was seen, in ascending order.
  static std::span<const std::uint32_t> list(
      const RangeSlot& slot, std::array<std::uint32_t, RangeSlot::fingerprints_max>& room);

 private:
  std::span<RangeSlot> slots_;
};

}  // namespace starling
