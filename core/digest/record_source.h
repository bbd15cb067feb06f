// RecordSource: what reconciliation needs from whoever owns the member rows and the sockets.
//
// Implemented by the shard (or by its owner, where several shards share one digest), called on the
// thread that calls the exchange or answer(). A port: the only virtual calls of this floor.
#pragma once

#include <memory>
#include <optional>

#include "core/digest/digest_table.h"
#include "core/digest/symbol.h"

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
  virtual const DigestTable& digest() const = 0;

  // The digested rows (alive or suspect) of these buckets, each once, in an order that stays the
  // same while the rows do. Called for one bucket at a time and often: it must not look at all
  // rows. The visitor changes no row.
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

 protected:
  ~RecordSource() = default;
};

}  // namespace starling
