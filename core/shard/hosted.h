// The members that an engine hosts: usually one, in an appliance or a swarm thousands.
//
// Each is an ordinary member on the wire: it has its own name, incarnation, health score and probe,
// refutes for itself and leaves for itself. All share the engine's member table, queues and
// digests, so what one has heard, all have. What everybody else may know about a hosted member is
// its row in the table; what only its host knows is here. Owned by a Node; one thread.
//
// Bound: CapacityOptions::hosted_max places, and a slab for their names.
#pragma once

#include <array>
#include <concepts>
#include <span>
#include <string_view>

#include "core/base/arena.h"
#include "core/base/hash.h"
#include "core/base/slab.h"
#include "core/base/time.h"
#include "core/swim/awareness.h"
#include "core/swim/slot.h"
#include "wire/base/types.h"

namespace starling {

// The probe that a hosted member runs now; memberlist runs one at a time (protocol/memberlist
// section 11).
struct Probe {
  enum class Stage : std::uint8_t { idle, direct, indirect };
  Stage stage = Stage::idle;
  bool stream_acked = false;
  bool tick_pending = false;  // a tick came while the probe ran; memberlist keeps one
  SequenceNumber sequence{};
  Slot target{};
  NameHash target_hash{};  // the row may be taken by another name while the probe runs
  Incarnation incarnation{};
  Instant started{};
  Instant deadline{};
  unsigned nacks_expected = 0;
  unsigned nacks_received = 0;
};

// Where a graceful leave stands (protocol/serf section 8).
enum class LeaveStage : std::uint8_t { none, intent, dead, propagate, left };

// Names a hosted member within its engine. 0 is the one that EngineOptions::name describes.
enum class HostedId : std::uint32_t {};
constexpr std::uint32_t to_number(HostedId id) {
  return static_cast<std::uint32_t>(id);
}

struct Hosted {
  Hosted() : awareness(1) {}

  bool used = false;
  // memberlist's leave flag: statements about the member are no longer answered.
  bool swim_left = false;
  bool remove_when_left = false;  // its place is free once it has left
  LeaveStage leave = LeaveStage::none;
  HostedId id{};
  SlabRef name = SlabRef::none;
  NameHash hash{};
  Slot slot = no_slot;  // its row, from its first alive message on
  Endpoint advertise;   // what peers are told; also the Source of its pings
  Incarnation incarnation{};
  Awareness awareness;
  Probe probe;
  // The last queries that were answered in the member's own name; one answer for each. Who answers
  // a fifth before it answers the first again is dropped by the asker.
  std::array<std::uint64_t, 4> answered{};
  std::uint64_t leave_token = 0;
  std::uint32_t generation = 0;  // tells one use of the place from the next, across lanes
};

class HostedMembers {
 public:
  HostedMembers(Arena& arena, std::uint32_t hosted_max, std::uint32_t members_max);
  static std::size_t footprint(std::uint32_t hosted_max, std::uint32_t members_max);

  // A new one in the lowest free place; nullptr when all are taken. The name must not be hosted.
  Hosted* add(std::string_view name, const Endpoint& advertise, std::int32_t awareness_bound);
  // The same in a place that another lane has chosen; who was there goes.
  Hosted* add_at(HostedId id, std::string_view name, const Endpoint& advertise,
                 std::int32_t awareness_bound);
  // The row stays; it is an ordinary member's from now on.
  void remove(Hosted& hosted);
  // Ties a hosted member to its row.
  void settle(Hosted& hosted, Slot slot);

  std::uint32_t size() const { return size_; }
  std::uint32_t capacity() const { return static_cast<std::uint32_t>(hosted_.size()); }
  // One past the highest place in use.
  std::uint32_t end() const { return end_; }
  Hosted& at(std::uint32_t place) { return hosted_[place]; }
  const Hosted& at(std::uint32_t place) const { return hosted_[place]; }
  std::string_view name(const Hosted& hosted) const { return as_text(names_.get(hosted.name)); }

  // nullptr when no hosted member has this name or this row.
  Hosted* find(std::string_view name);
  Hosted* of(Slot slot) {
    const std::uint32_t number = hosted_at_[index_of(slot)];
    return number == 0 ? nullptr : &hosted_[number - 1];
  }
  const Hosted* of(Slot slot) const { return const_cast<HostedMembers*>(this)->of(slot); }

  // Who speaks for the engine as a whole: the first that has not begun to leave, or, when all have,
  // the first. nullptr when none is left.
  Hosted* speaker();

  template <std::invocable<Hosted&> Each>
  void for_each(Each&& each) {
    for (std::uint32_t place = 0; place < end_; ++place) {
      if (hosted_[place].used) each(hosted_[place]);
    }
  }

 private:
  std::size_t home(NameHash hash) const {
    return static_cast<std::size_t>(to_number(hash)) & (index_.size() - 1);
  }
  std::size_t index_place(const Hosted& hosted) const;

  Slab names_;
  std::span<Hosted> hosted_;
  std::span<std::uint32_t> index_;      // place + 1, open addressing by name; 0: empty
  std::span<std::uint32_t> hosted_at_;  // place + 1, by slot; 0: not hosted here
  std::uint32_t size_ = 0;
  std::uint32_t end_ = 0;
  std::uint32_t first_ = 0;  // no lower place is in use
};

}  // namespace starling
