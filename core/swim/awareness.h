// Awareness: how unwell this node feels, the local health score of protocol/memberlist section 12.
//
// A value owned by whoever hosts the member. Which event has which delta is in the section's table.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/base/time.h"
#include "wire/base/check.h"

namespace starling {

class Awareness {
 public:
  // AwarenessMaxMultiplier: the score stays in 0 .. score_bound-1.
  explicit Awareness(std::int32_t score_bound) : score_max_(score_bound - 1) {
    CHECK(score_bound >= 1);
  }

  // The score after `delta`, clamped.
  std::int32_t apply(std::int32_t delta) {
    const std::int64_t moved = std::int64_t{score_} + delta;
    score_ = static_cast<std::int32_t>(std::clamp<std::int64_t>(moved, 0, score_max_));
    return score_;
  }
  std::int32_t score() const { return score_; }

  // Stretches a probe interval.
  Duration scale(Duration interval) const { return interval * (score_ + 1); }

 private:
  std::int32_t score_max_;
  std::int32_t score_ = 0;
};

}  // namespace starling
