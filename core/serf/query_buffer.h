// The ring of recent queries: refuses duplicates by Lamport time and id.
//
// protocol/serf section 10. A slot holds the ids of one time; a newer time that maps to the slot
// replaces it. Owned by one shard, called on its lane.
//
// Bounds: `slots` times `ids_per_slot_max` numbers from the arena. A time with more different ids
// than that has its further queries refused (`full`): a query lost, never a query repeated without
// end. Cost: O(ids of one time).
#pragma once

#include <span>

#include "core/base/arena.h"
#include "core/serf/lamport.h"
#include "wire/base/types.h"

namespace starling {

struct QueryBufferLimits {
  std::uint32_t slots = 512;
  std::uint32_t ids_per_slot_max = 64;
};

class QueryBuffer {
 public:
  enum class Verdict : std::uint8_t {
    fresh,           // re-broadcast unless the query forbids it; then filters, ack, delivery
    duplicate,       // seen before
    too_old,         // behind the ring
    before_minimum,  // older than the snapshot
    full,            // too many ids at one time
  };

  // The clock starts at 1, as Serf's does.
  QueryBuffer(Arena& arena, QueryBufferLimits limits);
  static std::size_t footprint(QueryBufferLimits limits);

  // A query received or sent: witnesses its time, then judges and stores its id.
  Verdict accept(LamportTime time, std::uint32_t id);

  LamportTime time() const { return clock_.time(); }
  // A sender's clock from push/pull.
  void witness_clock(LamportTime remote) { clock_.witness_clock(remote); }
  // A time from the snapshot.
  void witness(LamportTime seen) { clock_.witness(seen); }
  LamportTime minimum() const { return minimum_; }
  // Queries before this are dropped; never lowers it.
  void raise_minimum(LamportTime minimum);

 private:
  struct RingSlot {
    LamportTime time{};
    std::uint32_t count = 0;  // zero: empty
  };

  std::span<RingSlot> slots_;
  std::span<std::uint32_t> ids_;  // ids_per_slot_max_ for each slot
  std::uint32_t ids_per_slot_max_;
  LamportClock clock_;
  LamportTime minimum_{};
};

}  // namespace starling
