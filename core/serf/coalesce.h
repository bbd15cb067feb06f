// Event coalescing: many events in a short time become few.
//
// protocol/serf section 13. The first event starts a quantum, every event restarts a quiescent
// period; when either ends, what was collected is flushed. Members: the latest event of each,
// unless it repeats what was last reported of that member. User events: of each name those with the
// highest Lamport time. Machines driven by the caller's time, without a clock. Owned and called by
// the agent's control thread; they own copies of names, so unlike the rest of this folder they
// allocate.
//
// Bounds: the capacities given at construction. add() refuses when full: flush first, then add.
// The caller: if (!coalescer.add(...)) flush and add again; flush when now >= due(), and at the
// end.
#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/time.h"
#include "core/serf/member_event.h"
#include "wire/base/types.h"

namespace starling {

struct CoalescePeriods {
  Duration quantum = std::chrono::seconds(3);
  Duration quiescent = std::chrono::seconds(1);
};

// When to flush: the earlier of the end of the quantum and of the quiescent period.
class CoalesceTimer {
 public:
  explicit CoalesceTimer(CoalescePeriods periods) : periods_(periods) {}
  void event(Instant now) {
    if (!quantum_end_) quantum_end_ = now + periods_.quantum;
    quiescent_end_ = now + periods_.quiescent;
  }
  void stop() { quantum_end_.reset(); }
  std::optional<Instant> due() const {
    if (!quantum_end_) return std::nullopt;
    return std::min(*quantum_end_, quiescent_end_);
  }

 private:
  CoalescePeriods periods_;
  std::optional<Instant> quantum_end_;
  Instant quiescent_end_{};
};

// What was last reported of each member, so that a repeat can be left out. Bounded: beyond
// `names_max` the names reported longest ago are forgotten, a quarter of them at a time.
class LastReported {
 public:
  explicit LastReported(std::size_t names_max) : names_max_(names_max) {}
  // Notes the event and says whether it is worth reporting: a repeat is not, but for an update.
  bool report(const std::string& name, MemberEventKind kind);
  std::size_t size() const { return last_.size(); }

 private:
  struct Last {
    MemberEventKind kind;
    std::uint64_t order;
  };
  void forget_oldest();

  std::size_t names_max_;
  std::uint64_t order_ = 0;
  std::unordered_map<std::string, Last> last_;
};

// `Member` is what handlers need to know of a member (name, address, tags): a copy.
template <class Member>
class MemberCoalescer {
 public:
  struct Limits {
    std::size_t members_max = 1024;      // collected between two flushes
    std::size_t remembered_max = 65536;  // whose last report is known
  };
  MemberCoalescer(CoalescePeriods periods, Limits limits)
      : timer_(periods), limits_(limits), last_(limits.remembered_max) {}

  // False when full: flush first.
  bool add(MemberEventKind kind, std::string_view name, Member member, Instant now) {
    const auto at = latest_.find(name);
    if (at == latest_.end() && latest_.size() >= limits_.members_max) return false;
    timer_.event(now);
    if (at == latest_.end()) {
      latest_.emplace(std::string(name), Latest{kind, std::move(member)});
    } else {
      at->second = Latest{kind, std::move(member)};
    }
    return true;
  }

  std::optional<Instant> due() const { return timer_.due(); }

  // Calls on_event(MemberEventKind, std::vector<Member>&&) once for each kind that has members:
  // kinds in the order of the enum, members by name.
  template <class OnEvent>
  void flush(OnEvent&& on_event) {
    timer_.stop();
    std::array<std::vector<Member>, member_event_kinds> by_kind;
    for (auto& [name, latest] : latest_) {
      if (!last_.report(name, latest.kind)) continue;
      by_kind[static_cast<std::size_t>(latest.kind)].push_back(std::move(latest.member));
    }
    latest_.clear();
    for (std::size_t kind = 0; kind < by_kind.size(); ++kind) {
      if (!by_kind[kind].empty()) {
        on_event(static_cast<MemberEventKind>(kind), std::move(by_kind[kind]));
      }
    }
  }

 private:
  struct Latest {
    MemberEventKind kind;
    Member member;
  };
  CoalesceTimer timer_;
  Limits limits_;
  LastReported last_;
  std::map<std::string, Latest, std::less<>> latest_;
};

// `Event` is the whole event: a copy. Only events that may coalesce belong here; the others pass.
template <class Event>
class UserCoalescer {
 public:
  UserCoalescer(CoalescePeriods periods, std::size_t events_max)
      : timer_(periods), events_max_(events_max) {}

  // False when full: flush first.
  bool add(LamportTime time, std::string_view name, Event event, Instant now) {
    auto at = latest_.find(name);
    const bool older = at != latest_.end() && time < at->second.time;
    const bool newer = at != latest_.end() && at->second.time < time;
    if (!older && !newer && size_ >= events_max_) return false;
    timer_.event(now);
    if (older) return true;
    if (at == latest_.end()) at = latest_.emplace(std::string(name), Latest{time, {}}).first;
    Latest& latest = at->second;
    if (newer) {
      size_ -= latest.events.size();
      latest.events.clear();
      latest.time = time;
    }
    latest.events.push_back(std::move(event));
    ++size_;
    return true;
  }

  std::optional<Instant> due() const { return timer_.due(); }

  // Calls on_event(Event&&) for each event kept: by name, then in order of arrival.
  template <class OnEvent>
  void flush(OnEvent&& on_event) {
    timer_.stop();
    for (auto& [name, latest] : latest_) {
      for (Event& event : latest.events) on_event(std::move(event));
    }
    latest_.clear();
    size_ = 0;
  }

 private:
  struct Latest {
    LamportTime time;
    std::vector<Event> events;
  };
  CoalesceTimer timer_;
  std::size_t events_max_;
  std::size_t size_ = 0;
  std::map<std::string, Latest, std::less<>> latest_;
};

}  // namespace starling
