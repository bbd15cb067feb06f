// Observer: what one engine's events say about the swarm, counted while they come.
//
// Owned by a SwarmEngine, called by its thread for every event, so it looks at numbers only: a
// member's name is its number.
#pragma once

#include <memory>

#include "agent/swarm/population.h"
#include "agent/swarm/watch.h"
#include "core/shard/events.h"
#include "core/shard/options.h"

namespace starling::agent::swarm {

struct Sightings {
  std::uint64_t events = 0;
  std::uint64_t joined = 0, failed = 0, left = 0, updated = 0;
  std::uint64_t false_failures = 0;  // of members that no act has touched
  std::uint64_t suspected = 0;       // suspicions that began
  std::uint64_t false_suspicions = 0;
  std::uint64_t strangers = 0;  // members whose name is not ours: a bug
};

class Observer {
 public:
  // The traces that an engine must write for it.
  static constexpr TraceSet traces = trace_bit(TraceKind::suspect_started);

  Observer(const Population& population, std::uint32_t engine)
      : population_(&population), engine_(engine) {}

  // What follows is also noted there; nullptr: nowhere.
  void watch(std::shared_ptr<Watch> watch) { watch_ = std::move(watch); }
  Watch* watch() { return watch_.get(); }

  // Members and traces; ignores the rest.
  void on_event(const Event& event);
  const Sightings& sightings() const { return sightings_; }

 private:
  void on_member(const Event& event, std::uint32_t member);

  const Population* population_;
  std::uint32_t engine_;
  std::shared_ptr<Watch> watch_;
  Sightings sightings_;
};

}  // namespace starling::agent::swarm
