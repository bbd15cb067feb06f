// RecordSource: what reconciliation needs from whoever owns the member rows and the sockets.
//
// Implemented by the shard, called on the thread that calls the exchange or answer(). Where several
// lanes share one digest each has the rows of its own buckets, and asks the others to do what
// concerns theirs; the functions for that need not be implemented where all rows are here. A port:
// the only virtual calls of this floor.
#pragma once

#include <memory>
#include <optional>

#include "core/digest/digest_sum.h"
#include "core/digest/symbol.h"
#include "wire/sync.h"

namespace starling {

// A function that takes records; refers to a callable that outlives it. False stops the walk.
class RecordVisitor {
 public:
  template <class Callable>
  explicit RecordVisitor(Callable& callable)
      : callable_(std::addressof(callable)), call_([](void* to, const MemberRecord& record) {
          return (*static_cast<Callable*>(to))(record);
        }) {}

  bool operator()(const MemberRecord& record) const { return call_(callable_, record); }

 private:
  void* callable_;
  bool (*call_)(void* to, const MemberRecord& record);
};

class RecordSource {
 public:
  // Of the rows of all lanes.
  virtual const DigestSum& digest() const = 0;

  // The digested rows (alive or suspect) of these buckets that are here, each once, in an order
  // that stays the same while the rows do. Called for one bucket at a time and often: it must not
  // look at all rows. The visitor changes no row.
  virtual void for_each_in_buckets(Bucket first, std::uint32_t buckets,
                                   const RecordVisitor& visit) const = 0;

  // The row of this name in whatever state, also dead or left. Views stay valid until the next
  // apply().
  virtual std::optional<MemberRecord> find(NameHash hash, std::string_view name) const = 0;

  // Merges one record as an entry of a push/pull would be (protocol/memberlist section 10.6): dead
  // becomes suspect, left is dead by its own word. The record may be refused. It must not be stored
  // as a view. The digest must be up to date when this returns.
  virtual void apply(const MemberRecord& record, const Endpoint& from) = 0;

  // One message, type byte first, at most as long as the room that was given. May be lost.
  virtual void send(const Endpoint& to, Bytes message) = 0;

  // --- Several lanes ---

  // Whether the row of this name, if there is one, is here.
  virtual bool owns(NameHash) const { return true; }

  // Leaves those symbols, in their order, whose rows would be here. Lanes that have the others are
  // asked to send theirs to `to`.
  virtual std::span<const Symbol> keep_own(std::span<Symbol> symbols, const SyncHeader& /*header*/,
                                           const Endpoint& /*to*/) {
    return symbols;
  }

  // Asks the other lanes to send `to` their rows of these buckets whose names have none of these
  // fingerprints (range_window.h).
  virtual void send_unseen_of_others(Bucket /*first*/, std::uint32_t /*buckets*/,
                                     std::span<const std::uint32_t> /*fingerprints*/,
                                     const SyncHeader& /*header*/, const Endpoint& /*to*/) {}

  // The lanes that have the rows of a range answer for its pages in turn: which of how many this
  // one is. Place `of`: none of them.
  struct Turn {
    std::uint32_t place = 0, of = 1;
  };
  virtual Turn turn_at(Bucket /*first*/, std::uint32_t /*buckets*/) const { return {}; }

 protected:
  ~RecordSource() = default;
};

}  // namespace starling
