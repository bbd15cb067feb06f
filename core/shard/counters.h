// What a lane counts, and the snapshot of state that a stats command returns.
//
// One writer (the lane), plain integers; readers get copies through the event ring.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace starling {

struct Counters {
#define COUNTER(name, help) std::uint64_t name = 0;
#include "core/shard/counters.def"
#undef COUNTER
};

struct CounterText {
  std::string_view name;
  std::string_view help;
};
inline constexpr CounterText counter_texts[] = {
#define COUNTER(name, help) {#name, help},
#include "core/shard/counters.def"
#undef COUNTER
};
inline constexpr std::size_t counter_count = sizeof(counter_texts) / sizeof(counter_texts[0]);
static_assert(sizeof(Counters) == counter_count * sizeof(std::uint64_t));

// The numbers behind `serf info` and a metrics page. Trivially copyable: it travels as bytes.
struct Stats {
  Counters counters;
  std::uint32_t members = 0, members_alive = 0, members_failed = 0, members_left = 0;
  std::uint32_t nodes = 0;         // memberlist's node list, ourselves included
  std::uint32_t health_score = 0;  // of the first hosted member, as is `incarnation`
  std::uint32_t hosted = 0;        // members that the engine hosts
  std::uint64_t member_time = 0, event_time = 0, query_time = 0;
  std::uint32_t membership_queue = 0, intent_queue = 0, event_queue = 0, query_queue = 0;
  std::uint64_t broadcasts_dropped = 0;  // because a queue was full or the message too long
  std::uint32_t incarnation = 0;
  std::uint32_t suspicions = 0;
  std::uint32_t streams = 0;
  bool encrypted = false;
};

}  // namespace starling
