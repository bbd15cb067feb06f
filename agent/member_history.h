// What this agent has seen happen to each member lately: for `explain` and `top`.
//
// Fed by the engine's traces and member events, as far as they come: traces may be lost, and what
// other lanes or other agents saw is not here. Owned by the agent, control thread only.
//
// Bounds: the names_max members of whom something was heard last, events_max events of each, the
// newest over the oldest; accusers_max accusers of a running suspicion.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/shard/events.h"

namespace starling::agent {

class MemberHistory {
 public:
  static constexpr std::size_t names_max = 4096;
  static constexpr std::size_t events_max = 16;
  static constexpr std::size_t accusers_max = 9;

  struct Happening {
    Instant at{};
    std::string text;  // "suspected by b, incarnation 3"
  };
  // The last probe of the member that came to an end, from here.
  struct Probe {
    Instant at{};
    std::string result;  // "acked", "acked over a stream", "unanswered"
    std::optional<Duration> round_trip;
  };
  struct Suspicion {
    Instant since{};
    std::uint64_t incarnation = 0;
    std::vector<std::string> accusers;  // in order; the first began it
  };
  struct Death {
    Instant at{};
    std::string from;  // who said so
    std::uint64_t incarnation = 0;
  };
  struct Member {
    std::deque<Happening> happenings;  // oldest first
    std::uint64_t dropped = 0;         // happenings before these that are no longer kept
    std::optional<Probe> probe;
    std::optional<Suspicion> suspicion;  // running
    std::optional<Death> death;          // the last, while it has not come back
  };

  // Events of kind trace and member.
  void apply(const Event& event);

  // nullptr: nothing was heard of it, or too long ago. Valid until the next apply().
  const Member* find(std::string_view name) const;
  std::size_t size() const { return members_.size(); }
  // Running suspicions, in no particular order, `most` at most.
  std::vector<std::pair<std::string_view, const Suspicion*>> suspicions(std::size_t most) const;

 private:
  struct Entry {
    Member member;
    std::list<std::string>::iterator place;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  Member& touch(std::string_view name);
  void on_trace(const Event& trace);

  std::list<std::string> names_;  // the one heard of last in front
  std::unordered_map<std::string, Entry, Hash, std::equal_to<>> members_;
};

}  // namespace starling::agent
