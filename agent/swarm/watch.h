// Watch: who has learned what about the members that one act touches, and when.
//
// The director makes one for each act and gives it to all engines. Each engine's thread notes what
// its engine learns; each cell has one writer, so a relaxed store is enough, and the director reads
// the counts while they grow and the cells when they have stopped. Bound: one cell of four bytes
// for each engine and subject, and one number for each member of the swarm.
#pragma once

#include <atomic>
#include <vector>

#include "agent/swarm/histogram.h"
#include "core/serf/member_event.h"

namespace starling::agent::swarm {

class Watch {
 public:
  struct Setting {
    MemberEventKind expected{};  // what every engine should report about the subjects
    std::uint32_t members = 0;   // numbers of subjects are below it
    std::uint32_t engines = 0;
    Instant start{};  // no instant noted is earlier
  };
  Watch(const Setting& setting, std::vector<std::uint32_t> subjects);

  const std::vector<std::uint32_t>& subjects() const { return subjects_; }

  // The rest by the engines' threads; a member that is no subject is ignored.
  // It happened: the member ended, or changed.
  void happened(std::uint32_t member, Instant now);
  // An engine began to suspect it.
  void suspected(std::uint32_t member, Instant now);
  // An engine reports `kind` of it. Only the first that was expected counts.
  void reported(std::uint32_t engine, std::uint32_t member, MemberEventKind kind, Instant now);

  // Any thread: the subjects it happened to, and those an engine has reported.
  std::uint32_t happened_count() const { return happened_count_.load(std::memory_order_relaxed); }
  std::uint32_t reported_count(std::uint32_t engine) const {
    return reported_count_[engine].load(std::memory_order_relaxed);
  }

  struct Result {
    Histogram suspicion;  // from the event to the first suspicion anywhere
    Histogram detection;  // ... to the first report anywhere
    Histogram spread;     // from the first report to each other engine's
    Histogram last;       // from the event to the last engine's report
    std::uint32_t happened = 0;
    std::uint32_t reported_by_all = 0;  // subjects that every engine asked for has reported
    std::uint32_t reported_by_none = 0;
  };
  // Of the engines for which `asked` holds a true; call it when nothing is noted any more, or take
  // what is there.
  Result result(const std::vector<bool>& asked) const;

 private:
  // Microseconds since the start and one; 0: not yet. 32 bits hold 71 minutes, and what is later
  // counts as that.
  using Cell = std::atomic<std::uint32_t>;
  static constexpr std::uint32_t nobody = 0xffff'ffff;
  std::uint32_t ordinal(std::uint32_t member) const {
    return member < ordinals_.size() ? ordinals_[member] : nobody;
  }
  std::uint32_t since_start(Instant now) const;

  Setting setting_;
  std::vector<std::uint32_t> subjects_;
  std::vector<std::uint32_t> ordinals_;  // by member
  std::vector<Cell> happened_;           // by ordinal
  std::vector<Cell> suspected_;          // by ordinal: the earliest of all engines
  std::vector<Cell> reported_;           // by engine, then ordinal
  std::vector<Cell> reported_count_;     // by engine
  Cell happened_count_ = 0;
};

}  // namespace starling::agent::swarm
