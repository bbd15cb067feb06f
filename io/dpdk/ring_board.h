// RingBoard: who is where in a RingNetwork, and the mbufs that all its ports share.
//
// Shared by the ports. An inbox stays until nobody holds it, so that a sender may still put into
// the ring of a port that closes; what lies there then is freed with it. The lock is taken when a
// port opens, closes, or sends to somebody for the first time.
#pragma once

#include <rte_mempool.h>
#include <rte_ring.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>

#include "io/ports.h"

namespace starling::io {

// What others put into and one port takes from.
class RingInbox {
 public:
  explicit RingInbox(rte_ring* ring) : ring_(ring) {}
  ~RingInbox();
  RingInbox(const RingInbox&) = delete;
  RingInbox& operator=(const RingInbox&) = delete;

  rte_ring* ring() { return ring_; }
  // The port goes to sleep: it looks into the ring once more after this. Sequentially consistent
  // with ring_up: either the sleeper sees the packet or its sender the sleeper.
  void sleeps() { asleep_.store(true, std::memory_order_seq_cst); }
  void wakes() { asleep_.store(false, std::memory_order_relaxed); }
  // After something was put in, by its sender.
  void ring_up();
  // Whom to wake; nullptr when the port is gone.
  void belongs_to(Ports* sleeper);
  // Nobody sends here any more.
  bool closed() const { return closed_.load(std::memory_order_relaxed); }

 private:
  rte_ring* ring_;
  std::atomic<bool> asleep_ = false;
  std::atomic<bool> closed_ = false;
  std::mutex mutex_;  // over sleeper_
  Ports* sleeper_ = nullptr;
};

class RingBoard {
 public:
  RingBoard(rte_mempool* pool, std::uint32_t ports_max, std::size_t waiting_max)
      : pool_(pool), ports_max_(ports_max), waiting_max_(waiting_max) {}
  ~RingBoard();
  RingBoard(const RingBoard&) = delete;
  RingBoard& operator=(const RingBoard&) = delete;

  rte_mempool* pool() { return pool_; }
  // nullptr: no memory for a ring, or too many ports.
  std::shared_ptr<RingInbox> enter(const Endpoint& bound);
  void leave(const Endpoint& bound);
  // nullptr: nobody is there.
  std::shared_ptr<RingInbox> find(const Endpoint& to);

 private:
  rte_mempool* pool_;
  std::uint32_t ports_max_;
  std::size_t waiting_max_;
  std::mutex mutex_;
  std::map<Endpoint, std::shared_ptr<RingInbox>> inboxes_;
};

}  // namespace starling::io
