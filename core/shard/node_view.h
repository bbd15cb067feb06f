// NodeView: the few numbers that the lanes of one node know of each other.
//
// SWIM's formulas want the size of the whole cluster, a lane holds only its part of the members. So
// every lane publishes its counts here, and the home lane of a hosted member its health. One writer
// for each value, relaxed: nothing is published by them, and a number that is a turn old is as
// good. Lies in the engine's memory; every lane of the node reads it.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <utility>

#include "core/base/arena.h"
#include "core/digest/digest_table.h"
#include "core/shard/bucket_map.h"
#include "core/swim/versions.h"

namespace starling {

// Lanes that one node may have; mails address them by a bit mask.
inline constexpr std::uint32_t lanes_max = 32;

struct alignas(cache_line_bytes) LaneView {
  std::atomic<std::uint32_t> nodes{0};           // listed members that the lane owns
  std::atomic<std::uint32_t> live_others{0};     // of them alive or suspect, and hosted by others
  std::atomic<std::uint32_t> gossip_targets{0};  // members that gossip goes to, see gossip_turn.h
  std::atomic<std::uint32_t> serf_total{0};      // members that Serf's layer knows
  std::atomic<std::uint64_t> member_time{0};     // the lane's Lamport clock of members
  std::atomic<std::uint64_t> versions{0};        // VersionCheck::pack() of the lane's rows
  std::atomic<std::uint32_t> events{0};          // what the front lane's recent events add up to
  // The digest of the lane's rows, in the lane's own memory; nullptr where there is none. Set once,
  // before the lanes run.
  std::atomic<const DigestTable*> digest{nullptr};
  // Which change of the keyring the lane's digest is complete under, twice its number; odd while it
  // is made anew.
  std::atomic<std::uint32_t> digest_epoch{0};
};

class NodeView {
 public:
  NodeView(Arena& arena, std::uint32_t lanes, std::uint32_t hosted_max)
      : lanes_(arena.make<LaneView>(lanes)),
        scores_(arena.make<std::atomic<std::int32_t>>(hosted_max)) {}
  static std::size_t footprint(std::uint32_t lanes, std::uint32_t hosted_max) {
    Footprint sum;
    sum.make<LaneView>(lanes);
    sum.make<std::atomic<std::int32_t>>(hosted_max);
    return sum.total();
  }

  LaneView& lane(ShardId id) { return lanes_[static_cast<std::size_t>(id)]; }
  std::uint32_t nodes() const { return sum(&LaneView::nodes); }
  std::uint32_t live_others() const { return sum(&LaneView::live_others); }
  std::uint32_t serf_total() const { return sum(&LaneView::serf_total); }
  // The newest of the lanes' member clocks.
  LamportTime member_time() const {
    std::uint64_t newest = 0;
    for (const LaneView& lane : lanes_) {
      newest = std::max(newest, lane.member_time.load(std::memory_order_relaxed));
    }
    return LamportTime{newest};
  }

  // Where the rows of all lanes stand together.
  Root root() const {
    Root sum;
    for (const LaneView& lane : lanes_) {
      const DigestTable* const table = lane.digest.load(std::memory_order_acquire);
      if (table == nullptr) continue;
      const Root root = table->root();
      sum.sum += root.sum;
      sum.count += root.count;
    }
    return sum;
  }
  // The digests of all lanes, that of lane `own` first, written to `out`, which has lanes_max
  // places.
  std::span<const DigestTable* const> digests(ShardId own,
                                              std::span<const DigestTable*> out) const {
    std::size_t count = 0;
    for (const LaneView& lane : lanes_) {
      // Pairs with the release store in Node's constructor.
      const DigestTable* const table = lane.digest.load(std::memory_order_acquire);
      if (table == nullptr) continue;
      out[count++] = table;
      if (&lane == &lanes_[static_cast<std::size_t>(own)]) std::swap(out[0], out[count - 1]);
    }
    return out.first(count);
  }
  // Whether all lanes' digests are complete, under the same key.
  bool digests_agree() const {
    const std::uint32_t first = lanes_.front().digest_epoch.load(std::memory_order_relaxed);
    for (const LaneView& lane : lanes_) {
      if (lane.digest_epoch.load(std::memory_order_relaxed) != first) return false;
    }
    return first % 2 == 0;
  }

  // What the rows of all lanes speak and understand.
  void add_versions(VersionCheck& check) const {
    for (const LaneView& lane : lanes_) {
      check.merge(VersionCheck::unpack(lane.versions.load(std::memory_order_relaxed)));
    }
  }

  // A lane drawn with the weight that its members give it; `fallback` when there are none at all.
  template <class Rng>
  ShardId draw(std::atomic<std::uint32_t> LaneView::*weight, Rng& rng, ShardId fallback) const {
    const std::uint32_t total = sum(weight);
    if (total == 0) return fallback;
    std::uint32_t left = rng.below(total);
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      const std::uint32_t here = (lanes_[i].*weight).load(std::memory_order_relaxed);
      if (left < here) return ShardId{static_cast<std::uint8_t>(i)};
      left -= here;
    }
    return fallback;  // a count fell meanwhile
  }

  // How many of `packets` go to members of which lane: the members are drawn one by one, with the
  // weight that each lane's count gives it, and nobody twice. Lane `id` has `excluded` fewer than
  // it says. The sum is smaller than `packets` when there are fewer members.
  template <class Rng>
  std::array<std::uint8_t, lanes_max> deal(std::atomic<std::uint32_t> LaneView::*weight, Rng& rng,
                                           std::size_t packets, ShardId id = {},
                                           std::uint32_t excluded = 0) const {
    std::array<std::uint32_t, lanes_max> left{};
    std::array<std::uint8_t, lanes_max> dealt{};
    std::uint32_t total = 0;
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      left[i] = (lanes_[i].*weight).load(std::memory_order_relaxed);
      if (i == static_cast<std::size_t>(id)) left[i] -= std::min(left[i], excluded);
      total += left[i];
    }
    for (; packets > 0 && total > 0; --packets, --total) {
      std::uint32_t drawn = rng.below(total);
      std::size_t lane = 0;
      while (drawn >= left[lane]) drawn -= left[lane++];
      --left[lane];
      ++dealt[lane];
    }
    return dealt;
  }

  // The health of a hosted member, for the lanes that are not its home.
  std::int32_t score(std::uint32_t hosted) const {
    return scores_[hosted].load(std::memory_order_relaxed);
  }
  void set_score(std::uint32_t hosted, std::int32_t score) {
    scores_[hosted].store(score, std::memory_order_relaxed);
  }

 private:
  std::uint32_t sum(std::atomic<std::uint32_t> LaneView::*value) const {
    std::uint32_t total = 0;
    for (const LaneView& lane : lanes_) total += (lane.*value).load(std::memory_order_relaxed);
    return total;
  }

  std::span<LaneView> lanes_;
  std::span<std::atomic<std::int32_t>> scores_;  // by hosted member
};

}  // namespace starling
