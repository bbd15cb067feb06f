// The ring of recent user events: refuses duplicates and feeds push/pull.
//
// protocol/serf sections 7 and 9. Gossip delivers an event many times and push/pull replays the
// whole ring, so every node remembers the events of the last `slots` Lamport times. A slot holds
// the events of one time; a newer time that maps to the slot replaces it.
//
// Names and payloads live in one byte buffer, appended in order of arrival; what slots no longer
// hold is squeezed out when the buffer is full. If that does not make enough room, the slots with
// the lowest times are evicted and times up to theirs count as too old from then on: a smaller
// ring, never a duplicate. Owned by one shard, called on its lane.
//
// Bounds: `limits`, all memory from the arena. `accept` is O(1), amortised over the squeezes.
#pragma once

#include <span>

#include "core/base/arena.h"
#include "core/base/hash.h"
#include "core/serf/lamport.h"
#include "wire/base/types.h"

namespace starling {

struct EventBufferLimits {
  std::uint32_t slots = 512;               // on the wire, push/pull always has 512
  std::uint32_t events_max = 8192;         // over all slots
  std::uint32_t storage_bytes = 1u << 20;  // names and payloads
};

class EventBuffer {
 public:
  enum class Verdict : std::uint8_t {
    fresh,           // deliver it and re-broadcast the received bytes
    duplicate,       // seen before
    too_old,         // behind the ring, or of an evicted time
    before_minimum,  // older than the snapshot or the join asked for
    no_space,        // larger than the storage, or its time alone fills it
  };
  struct Event {
    std::string_view name;
    Bytes payload;
  };

  // The clock starts at 1, as Serf's does.
  EventBuffer(Arena& arena, EventBufferLimits limits);
  static std::size_t footprint(EventBufferLimits limits);

  // An event received or sent: witnesses its time, then judges and stores it.
  Verdict accept(LamportTime time, std::string_view name, Bytes payload);

  LamportTime time() const { return clock_.time(); }
  // A sender's clock from push/pull.
  void witness_clock(LamportTime remote) { clock_.witness_clock(remote); }
  // A time from the snapshot.
  void witness(LamportTime seen) { clock_.witness(seen); }
  LamportTime minimum() const { return minimum_; }
  // Whether there is a time from `from` on and before `to` of which no event came, though one
  // still could. At most `slots` steps.
  bool misses(LamportTime from, LamportTime to) const;
  // Events before this are dropped; never lowers it.
  void raise_minimum(LamportTime minimum);

  // Calls on_slot(LamportTime, count) for a slot that holds events and on_empty_slot() otherwise,
  // then on_event(Event) for each of its events in order of arrival; slots in order of position.
  // Views are valid until the next accept().
  template <class OnSlot, class OnEmptySlot, class OnEvent>
  void for_each_slot(OnSlot&& on_slot, OnEmptySlot&& on_empty_slot, OnEvent&& on_event) const;

  // The same for two buffers with the same events. A pass over all of them after a change.
  std::uint32_t digest() const;

  std::uint32_t slots() const { return static_cast<std::uint32_t>(slots_.size()); }
  std::uint32_t events() const { return events_; }
  std::uint64_t evicted_slots() const { return evicted_slots_; }
  // How often the storage was squeezed: each costs a pass over all of it.
  std::uint64_t squeezes() const { return squeezes_; }

 private:
  static constexpr std::uint32_t nothing = UINT32_MAX;
  struct RingSlot {
    LamportTime time{};
    std::uint32_t first, last;  // records
    std::uint32_t count = 0;    // zero: empty
    std::uint32_t bytes = 0;
    std::uint32_t linked = 0;  // while squeezing: how many of them are in the list again
  };
  // Records are in order of arrival; their bytes lie in the same order in storage_.
  struct Record {
    LamportTime time;
    std::uint64_t hash;
    std::uint32_t at, name_bytes, payload_bytes;
    std::uint32_t next;  // of the same slot
  };

  RingSlot& slot_of(LamportTime time);
  const RingSlot& slot_of(LamportTime time) const;
  bool live(const Record& record) const;
  Event view(const Record& record) const;
  bool find(LamportTime time, std::uint64_t hash, const Event& event) const;
  bool make_room(LamportTime time, std::size_t bytes);
  bool crowded(std::size_t bytes) const;
  bool fits(std::size_t bytes) const;
  RingSlot* lowest_before(LamportTime time);
  void squeeze();
  void append(LamportTime time, std::uint64_t hash, const Event& event);
  void drop_slot(RingSlot& slot);
  void link(std::uint32_t number);

  std::span<RingSlot> slots_;
  std::span<Record> records_;
  std::span<std::uint32_t> index_;  // open addressing by hash; record number + 1
  std::span<std::byte> storage_;
  std::uint32_t index_mask_ = 0;
  std::uint32_t records_used_ = 0, storage_used_ = 0;  // dead ones included
  std::uint32_t events_ = 0, bytes_live_ = 0;
  LamportClock clock_;
  LamportTime minimum_{};
  LamportTime kept_from_{};  // times before this one were evicted
  std::uint64_t evicted_slots_ = 0, squeezes_ = 0;
  mutable std::uint32_t digest_ = 0;
  mutable bool digest_known_ = true;  // an empty buffer has zero
};

template <class OnSlot, class OnEmptySlot, class OnEvent>
void EventBuffer::for_each_slot(OnSlot&& on_slot, OnEmptySlot&& on_empty_slot,
                                OnEvent&& on_event) const {
  for (const RingSlot& slot : slots_) {
    if (slot.count == 0) {
      on_empty_slot();
      continue;
    }
    on_slot(slot.time, slot.count);
    for (std::uint32_t at = slot.first; at != nothing; at = records_[at].next) {
      on_event(view(records_[at]));
    }
  }
}

}  // namespace starling
