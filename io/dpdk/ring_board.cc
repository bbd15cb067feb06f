#include "io/dpdk/ring_board.h"

#include <rte_mbuf.h>

#include <bit>

#include "io/address.h"

namespace starling::io {

namespace {

// DPDK's names are of the whole process.
std::string next_name() {
  static std::atomic<std::uint32_t> made = 0;
  return "starling_ring_" + std::to_string(made.fetch_add(1, std::memory_order_relaxed));
}

Endpoint place_of(const Endpoint& endpoint) {
  return {unmapped(endpoint.address), endpoint.port};
}

}  // namespace

RingInbox::~RingInbox() {
  void* packet = nullptr;
  while (rte_ring_dequeue(ring_, &packet) == 0) rte_pktmbuf_free(static_cast<rte_mbuf*>(packet));
  rte_ring_free(ring_);
}

void RingInbox::ring_up() {
  // Pairs with sleeps(): the packet was put in before this looks.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!asleep_.load(std::memory_order_relaxed)) return;
  if (!asleep_.exchange(false, std::memory_order_relaxed)) return;
  const std::lock_guard lock(mutex_);
  if (sleeper_ != nullptr) sleeper_->wake();
}

void RingInbox::belongs_to(Ports* sleeper) {
  const std::lock_guard lock(mutex_);
  sleeper_ = sleeper;
  closed_.store(sleeper == nullptr, std::memory_order_relaxed);
}

RingBoard::~RingBoard() {
  inboxes_.clear();
  rte_mempool_free(pool_);
}

std::shared_ptr<RingInbox> RingBoard::enter(const Endpoint& bound) {
  const std::lock_guard lock(mutex_);
  if (inboxes_.size() >= ports_max_) return nullptr;
  const auto size = static_cast<unsigned>(std::bit_ceil(waiting_max_ + 1));
  rte_ring* const ring = rte_ring_create(next_name().c_str(), size, SOCKET_ID_ANY, RING_F_SC_DEQ);
  if (ring == nullptr) return nullptr;
  auto inbox = std::make_shared<RingInbox>(ring);
  inboxes_[place_of(bound)] = inbox;
  return inbox;
}

void RingBoard::leave(const Endpoint& bound) {
  const std::lock_guard lock(mutex_);
  inboxes_.erase(place_of(bound));
}

std::shared_ptr<RingInbox> RingBoard::find(const Endpoint& to) {
  const std::lock_guard lock(mutex_);
  const auto found = inboxes_.find(place_of(to));
  return found == inboxes_.end() ? nullptr : found->second;
}

}  // namespace starling::io
