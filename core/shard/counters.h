// What a lane counts, and the snapshot of state that a stats command returns.
//
// One writer (the lane), plain integers; readers get copies through the event ring.
#pragma once

#include <algorithm>
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
  std::uint32_t members = 0, members_failed = 0, members_left = 0;
  std::uint32_t members_alive = 0, members_leaving = 0;  // the leaving count as alive, too
  std::uint32_t nodes = 0;         // memberlist's node list, ourselves included
  std::uint32_t health_score = 0;  // of the first hosted member, as is `incarnation`
  std::uint32_t hosted = 0;        // members that the engine hosts
  std::uint64_t member_time = 0, event_time = 0, query_time = 0;
  std::uint32_t membership_queue = 0, intent_queue = 0, event_queue = 0, query_queue = 0;
  // For how long the oldest in each queue has waited.
  std::uint32_t membership_age_ms = 0, intent_age_ms = 0, event_age_ms = 0, query_age_ms = 0;
  std::uint64_t broadcasts_dropped = 0;  // because a queue was full or the message too long
  std::uint32_t incarnation = 0;
  std::uint32_t incarnation_max = 0;  // of all hosted members
  std::uint32_t suspicions = 0;
  std::uint32_t streams = 0;
  bool encrypted = false;
  // Where the member table stands (core/digest); zero without digests.
  std::uint64_t digest_root = 0;
  std::uint32_t digest_count = 0;

  // Adds what another lane of the same node counts.
  void add(const Stats& other);
};

inline void Stats::add(const Stats& other) {
#define COUNTER(name, help) counters.name += other.counters.name;
#include "core/shard/counters.def"
#undef COUNTER
  members += other.members;
  members_alive += other.members_alive;
  members_failed += other.members_failed;
  members_left += other.members_left;
  members_leaving += other.members_leaving;
  nodes += other.nodes;
  health_score = std::max(health_score, other.health_score);
  hosted = std::max(hosted, other.hosted);  // every lane knows all of them
  member_time = std::max(member_time, other.member_time);
  event_time = std::max(event_time, other.event_time);
  query_time = std::max(query_time, other.query_time);
  membership_queue += other.membership_queue;
  intent_queue += other.intent_queue;
  event_queue += other.event_queue;
  query_queue += other.query_queue;
  membership_age_ms = std::max(membership_age_ms, other.membership_age_ms);
  intent_age_ms = std::max(intent_age_ms, other.intent_age_ms);
  event_age_ms = std::max(event_age_ms, other.event_age_ms);
  query_age_ms = std::max(query_age_ms, other.query_age_ms);
  broadcasts_dropped += other.broadcasts_dropped;
  incarnation = std::max(incarnation, other.incarnation);  // only its home knows it
  incarnation_max = std::max(incarnation_max, other.incarnation_max);
  suspicions += other.suspicions;
  streams += other.streams;
  digest_root += other.digest_root;  // sums add up
  digest_count += other.digest_count;
}

}  // namespace starling
