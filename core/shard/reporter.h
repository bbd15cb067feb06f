// Reports what happens to the owner of the engine, through the event ring.
//
// Member rows must arrive: a row that does not fit now is remembered and sent later with its newest
// content. Traces may be lost, and stop while a quarter of the ring or less is free, so that they
// never displace a member. Owned by a Node; one thread.
#pragma once

#include <span>

#include "core/base/arena.h"
#include "core/serf/members.h"
#include "core/shard/counters.h"
#include "core/shard/events.h"
#include "core/swim/member_table.h"

namespace starling {

class Reporter {
 public:
  Reporter(Arena& arena, std::uint32_t members_max, EventWriter events);
  // Traces whose bit is not set are not written. All are, without this call.
  void want_traces(std::uint64_t traces) { traces_ = traces; }

  // The row as it is now. `change` as in Event.
  void member(Instant now, const MemberTable& members, const SerfMembers& serf, Slot slot,
              std::optional<MemberEventKind> change, Counters& counters);
  // Sends remembered rows while there is room.
  void flush(Instant now, const MemberTable& members, const SerfMembers& serf);
  // True while a row waits to be sent: it must not be freed.
  bool pending(Slot slot) const { return pending_[static_cast<std::size_t>(slot)] != 0; }
  // True while nothing is remembered and the ring has room to spare.
  bool calm() const { return queue_count_ == 0 && events_.roomy(); }

  // False when the ring is full.
  bool send(const Event& event) { return events_.send(event); }
  // Whether the owner has something new to look at since the last call.
  bool take_sent() { return events_.take_sent(); }
  // Answers of commands: the ring keeps room for them, see EventWriter::roomy.
  void done(Instant now, std::uint64_t token, CommandResult result, std::uint64_t number = 0,
            std::string_view text = {}, const WireError& error = {});

  struct TraceDetails {
    std::string_view name = {};
    std::string_view from = {};
    Endpoint endpoint = {};
    std::uint64_t number = 0;
    std::string_view text = {};
    WireError error = {};
  };
  void trace(Instant now, TraceKind kind, const TraceDetails& details, Counters& counters);

 private:
  bool send_row(Instant now, const MemberTable& members, const SerfMembers& serf, Slot slot,
                std::optional<MemberEventKind> change);

  EventWriter events_;
  std::uint64_t traces_ = ~std::uint64_t{0};
  std::span<std::uint8_t> pending_;  // by slot: 0, or 1 + the change (unchanged_code: status only)
  std::span<Slot> queue_;            // slots with a pending row, oldest first, as a ring
  std::uint32_t queue_head_ = 0;
  std::uint32_t queue_count_ = 0;
};

}  // namespace starling
