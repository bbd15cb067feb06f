// Commands that wait for a broadcast to be sent out: a small fixed table of tickets.
//
// Dissemination hands a ticket back when its message was sent often enough, replaced or dropped.
// Owned by a Node.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "core/shard/hosted.h"

namespace starling {

// Names one wait; never zero. The low 8 bits are the place in the table plus one.
using Ticket = std::uint32_t;

class Waiters {
 public:
  static constexpr std::uint32_t waiters_max = 64;
  enum class Kind : std::uint8_t { leave_intent, leave_dead, force_leave, set_meta };

  struct Waiter {
    Kind kind{};
    std::uint64_t token = 0;
    HostedId hosted{};  // who leaves
    std::uint32_t place = 0;
  };

  // A new ticket; 0 when the table is full.
  Ticket add(Kind kind, std::uint64_t token, HostedId hosted = {}) {
    for (std::uint32_t i = 0; i < waiters_max; ++i) {
      if (tickets_[i] != 0) continue;
      generation_ = (generation_ + 1) & 0xff'ffff;
      tickets_[i] = (generation_ << 8) | (i + 1);
      waiters_[i] = {kind, token, hosted, i};
      return tickets_[i];
    }
    return 0;
  }
  static std::uint32_t place(Ticket ticket) { return (ticket & 0xff) - 1; }

  // Takes the waiter of a ticket out; nullopt for a ticket that ended before.
  std::optional<Waiter> take(Ticket ticket) {
    const std::uint32_t i = place(ticket);
    if (i >= waiters_max || tickets_[i] != ticket) return std::nullopt;
    return take_place(i);
  }
  // The same by place, for its timer.
  std::optional<Waiter> take_place(std::uint32_t i) {
    if (tickets_[i] == 0) return std::nullopt;
    tickets_[i] = 0;
    return waiters_[i];
  }

 private:
  std::array<Ticket, waiters_max> tickets_{};
  std::array<Waiter, waiters_max> waiters_{};
  std::uint32_t generation_ = 0;
};

}  // namespace starling
