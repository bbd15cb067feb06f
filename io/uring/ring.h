// Ring: one io_uring, owned by one thread, with completions named by tags.
//
// Set up as SINGLE_ISSUER and DEFER_TASKRUN: the thread that first calls start() owns it, the
// kernel does its part of the work only inside that thread's own calls, and nothing runs behind its
// back. No SQPOLL: a kernel thread that polls takes a core (measured: 20 times slower on two).
// Created and destroyed by any thread, everything else by the owner.
#pragma once

#include <liburing.h>

#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "core/base/time.h"
#include "wire/base/check.h"

namespace starling::io {

// What a completion belongs to.
struct RingTag {
  enum class Kind : std::uint8_t {
    ignored,
    wake,
    receive,   // the multishot receive of datagrams
    send,      // one datagram that was refused
    send_run,  // slot and serial: which run of datagrams of which send() was refused
    accept,    // slot: which of the pending accepts
    connect,   // slot and serial: a stream
    read,
    write,
    writable,
  };
  Kind kind = Kind::ignored;
  std::uint16_t slot = 0;
  std::uint32_t serial = 0;

  std::uint64_t packed() const {
    return std::uint64_t{serial} << 32 | std::uint64_t{slot} << 8 |
           static_cast<std::uint64_t>(kind);
  }
  static RingTag from(std::uint64_t packed) {
    return {static_cast<Kind>(packed & 0xff), static_cast<std::uint16_t>((packed >> 8) & 0xffff),
            static_cast<std::uint32_t>(packed >> 32)};
  }
};

class Ring {
 public:
  // Proves that this process may use io_uring at all, by setting up a small ring and letting one
  // operation that does nothing through. nullopt, or the call and the system's words.
  static std::optional<std::string> problem();

  // Takes smaller rings where locked memory is short.
  static std::expected<std::unique_ptr<Ring>, std::string> create();
  ~Ring();
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  io_uring* get() { return &ring_; }
  unsigned submissions_max() const { return ring_.sq.ring_entries; }
  unsigned completions_max() const { return ring_.cq.ring_entries; }

  // Makes the calling thread the owner. Operations may be prepared only afterwards.
  void start();
  bool started() const { return started_; }
  bool owned_by_this_thread() const;

  // An empty operation. Submits what is prepared when the queue is full.
  io_uring_sqe* prepare(RingTag tag);
  bool unsubmitted() { return io_uring_sq_ready(&ring_) > 0; }
  // One system call: hands over what is prepared and lets the kernel do what it has put off.
  void submit() { io_uring_submit_and_get_events(&ring_); }
  // The same, but only when there is something to hand over or put off.
  void refresh();
  // Hands over what is prepared, then sleeps until there is a completion.
  void wait(Duration at_most);
  bool completed() { return io_uring_cq_ready(&ring_) > 0; }

  // Calls on_completion(tag, result, flags) for what has completed; at most one queue's length.
  template <class OnCompletion>
  void take(OnCompletion&& on_completion) {
    for (unsigned i = 0; i < completions_max(); ++i) {
      io_uring_cqe* cqe = nullptr;
      if (!next(cqe)) return;
      const RingTag tag = RingTag::from(cqe->user_data);
      const int result = cqe->res;
      const unsigned flags = cqe->flags;
      io_uring_cqe_seen(&ring_, cqe);
      on_completion(tag, result, flags);
    }
  }

  // Ends every operation that is under way; the owner's last call but take().
  void cancel_all();

 private:
  Ring() = default;
  bool next(io_uring_cqe*& cqe);

  io_uring ring_{};
  bool open_ = false;
  bool started_ = false;
  int owner_ = 0;
};

}  // namespace starling::io
