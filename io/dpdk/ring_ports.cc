#include "io/dpdk/ring_ports.h"

#include <algorithm>
#include <array>
#include <new>

#include "core/base/hash.h"
#include "io/address.h"
#include "io/dpdk/mbuf_burst.h"

namespace starling::io {

namespace {

constexpr std::size_t burst_max = 64;

Endpoint& sender_of(rte_mbuf* mbuf) {
  return *static_cast<Endpoint*>(rte_mbuf_to_priv(mbuf));
}

}  // namespace

std::size_t RingDatagrams::private_bytes() {
  static_assert(alignof(Endpoint) <= RTE_MBUF_PRIV_ALIGN);
  return (sizeof(Endpoint) + RTE_MBUF_PRIV_ALIGN - 1) / RTE_MBUF_PRIV_ALIGN * RTE_MBUF_PRIV_ALIGN;
}

std::size_t RingDatagrams::Hash::operator()(const Endpoint& endpoint) const {
  const Bytes raw = endpoint.address.bytes();
  return static_cast<std::size_t>(to_number(hash_name(as_text(raw)))) ^ endpoint.port;
}

bool RingDatagrams::waiting() const {
  return held_ < receive_slots_ && rte_ring_empty(inbox_->ring()) == 0;
}

std::size_t RingDatagrams::receive(std::span<RxPacket> burst) {
  std::size_t received = 0;
  while (received < burst.size()) {
    std::array<void*, burst_max> packets;
    const std::size_t room =
        std::min({packets.size(), burst.size() - received, receive_slots_ - held_});
    if (room == 0) {
      if (held_ == receive_slots_) count(counters_->receive_pauses);
      break;
    }
    const unsigned taken = rte_ring_sc_dequeue_burst(inbox_->ring(), packets.data(),
                                                     static_cast<unsigned>(room), nullptr);
    for (void* const packet : std::span(packets).first(taken)) {
      auto* const mbuf = static_cast<rte_mbuf*>(packet);
      const Bytes bytes = frame_of(mbuf);
      if (bytes.size() > datagram_bytes_max_) {
        count(counters_->datagrams_too_large);
        rte_pktmbuf_free(mbuf);
        continue;
      }
      burst[received++] = {.from = sender_of(mbuf), .bytes = bytes, .cookie = cookie_of(mbuf)};
      ++held_;
    }
    if (taken < room) break;
  }
  count(counters_->datagrams_received, received);
  return received;
}

void RingDatagrams::release(std::span<const RxPacket> burst) {
  CHECK(held_ >= burst.size());
  for (const RxPacket& packet : burst) rte_pktmbuf_free(mbuf_of(packet.cookie));
  held_ -= burst.size();
}

std::size_t RingDatagrams::borrow(std::span<TxPacket> blanks) {
  const std::size_t wanted = std::min(blanks.size(), send_slots_ - lent_);
  const std::size_t lent = lend_mbufs(board_->pool(), blanks.first(wanted));
  for (TxPacket& blank : blanks.first(lent)) blank.room = blank.room.first(room_bytes_);
  lent_ += lent;
  return lent;
}

RingInbox* RingDatagrams::inbox_of(const Endpoint& to) {
  const auto known = known_.find(to);
  if (known != known_.end()) {
    if (!known->second->closed()) return known->second.get();
    known_.erase(known);
  }
  std::shared_ptr<RingInbox> found = board_->find(to);
  if (found == nullptr) return nullptr;
  return known_.emplace(to, std::move(found)).first->second.get();
}

void RingDatagrams::send(std::span<const TxPacket> filled) {
  CHECK(lent_ >= filled.size());
  lent_ -= filled.size();
  for (const TxPacket& packet : filled) {
    rte_mbuf* const mbuf = mbuf_of(packet.cookie);
    if (packet.bytes == 0) {
      rte_pktmbuf_free(mbuf);
      continue;
    }
    CHECK(packet.bytes <= packet.room.size());
    const bool possible =
        !packet.to.address.empty() && family_of(packet.to.address) == family_of(bound_.address);
    if (!possible) {
      count(counters_->datagrams_send_failed);
      rte_pktmbuf_free(mbuf);
      continue;
    }
    count(counters_->datagrams_sent);
    RingInbox* const to = inbox_of(packet.to);
    rte_pktmbuf_append(mbuf, static_cast<std::uint16_t>(packet.bytes));
    new (&sender_of(mbuf)) Endpoint(bound_);
    if (to == nullptr || rte_ring_mp_enqueue(to->ring(), mbuf) != 0) {
      rte_pktmbuf_free(mbuf);  // as a network loses it
      continue;
    }
    to->ring_up();
  }
}

RingPorts::RingPorts(const PortOptions& options, std::shared_ptr<RingBoard> board,
                     std::shared_ptr<RingInbox> inbox, std::unique_ptr<Ports> streams)
    : streams_(std::move(streams)),
      board_(board),
      inbox_(inbox),
      datagrams_(options, std::move(board), std::move(inbox), streams_->bound(), counters_) {
  inbox_->belongs_to(streams_.get());
}

RingPorts::~RingPorts() {
  inbox_->belongs_to(nullptr);
  board_->leave(streams_->bound());
}

void RingPorts::wait(Duration at_most) {
  inbox_->sleeps();
  // Pairs with the fence in ring_up().
  std::atomic_thread_fence(std::memory_order_seq_cst);
  streams_->wait(datagrams_.waiting() ? Duration::zero() : at_most);
  inbox_->wakes();
}

}  // namespace starling::io
