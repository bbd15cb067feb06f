// LaneBells: wakes the lanes of a node that sleep while another has sent them mail.
//
// A lane that sends mail must not pay a system call for a neighbour that is awake anyway, and a
// lane that lies down must not miss what was sent a moment before. So a lane says that it lies
// down, looks at its mail once more, and only then sleeps; a sender puts the mail into the ring,
// and then looks who lies. Shared by the threads of one node's lanes.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/base/arena.h"
#include "io/ports.h"

namespace starling::io {

class LaneBells {
 public:
  // `ports` by lane; they outlive the bells.
  explicit LaneBells(std::vector<Ports*> ports)
      : ports_(std::move(ports)), beds_(std::make_unique<Bed[]>(ports_.size())) {}

  // By the sender, after its turn: `lanes` is the mask that the turn has returned.
  void ring(std::uint32_t lanes) {
    // Pairs with the fence in lie_down(): either we see the sleeper, or it sees the mail.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    for (; lanes != 0; lanes &= lanes - 1) {
      const auto lane = static_cast<std::size_t>(std::countr_zero(lanes));
      if (beds_[lane].taken.load(std::memory_order_relaxed)) ports_[lane]->wake();
    }
  }

  // By the lane: look at the mail after this, and sleep only if there is none.
  void lie_down(std::size_t lane) {
    beds_[lane].taken.store(true, std::memory_order_relaxed);
    // Pairs with the fence in ring().
    std::atomic_thread_fence(std::memory_order_seq_cst);
  }
  void get_up(std::size_t lane) { beds_[lane].taken.store(false, std::memory_order_relaxed); }

 private:
  struct alignas(cache_line_bytes) Bed {
    std::atomic<bool> taken{false};
  };
  std::vector<Ports*> ports_;
  std::unique_ptr<Bed[]> beds_;
};

}  // namespace starling::io
