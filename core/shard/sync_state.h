// What a shard keeps for reconciliation with peers of this kind: the digest of its rows, and the
// exchange it runs.
//
// Part of a Node; what happens with it is in sync_turn. Of several lanes each keeps the digest of
// its own rows, and the front lane runs the exchange.
#pragma once

#include <array>
#include <optional>

#include "core/base/token_bucket.h"
#include "core/digest/exchange.h"
#include "core/shard/options.h"
#include "core/shard/sessions.h"
#include "core/swim/slot.h"
#include "wire/standing.h"

namespace starling {

struct SyncState {
  SyncState(Arena& arena, const EngineOptions& options, Instant start);
  static std::size_t footprint(const EngineOptions& options);
  // The longest message that an exchange sends.
  static std::size_t room(const EngineOptions& options);
  // Whether these options allow it: datagrams of a usual size, not switched off.
  static bool possible(const EngineOptions& options);

  DigestTable digest;
  Exchange exchange;
  // News of large exchanges is not gossiped on: everybody finds it in the same way.
  TokenBucket gossip_allowance;
  Slot watched = no_slot;  // the row that a RowDigest looks after now
  std::uint32_t exchanges = 0;
  bool reported = true;  // the outcome of the exchange was taken note of

  // Peers that were asked where they stand: one now and then, and those that a large table is to
  // join with. More joins at a time go ahead without knowing.
  struct Ask {
    bool used = false;
    bool periodic = false;
    SequenceNumber sequence{};
    Endpoint peer;
    DialOptions dial;  // of a join
    Instant due{};
  };
  std::array<Ask, 16> asks;
  // A new primary key makes other marks. Until all rows are in under it, those from this slot on
  // are not, and the digest says nothing to anybody.
  std::uint32_t digested_end = UINT32_MAX;
  bool complete() const { return digested_end == UINT32_MAX; }
  Instant quiet_until{};  // no exchange before: peers have yet to change their key

  Instant full_due{};  // no full push/pull with a periodic peer before

  // "This is where I stand" says nothing while other lanes are still at what came before it. One
  // that comes in, or goes out, waits here until each of them has said that it is through.
  struct Held {
    std::uint64_t number = 0;   // names it among the lanes; 0: unused
    std::uint32_t missing = 0;  // lanes that have not answered, as a bit mask
    bool outgoing = false;
    Endpoint peer;
    std::array<std::byte, sync_finished_bytes> message;
  };
  std::array<Held, 16>
      held;  // one for each peer that compares at this moment; the oldest gives way
  std::uint64_t held_count = 0;

  // Event buffers that were exchanged and stayed different, because one side joined later.
  std::uint32_t events_ours = 0, events_theirs = 0;
};

}  // namespace starling
