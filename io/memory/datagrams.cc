#include "io/memory/datagrams.h"

#include <algorithm>
#include <cstring>

#include "io/memory/ports.h"

namespace starling::io {

std::expected<std::unique_ptr<MemoryDatagrams>, std::string> MemoryDatagrams::create(
    const PortOptions& options, Switchboard& switchboard, MemoryPorts& owner,
    PortCounters& counters) {
  auto rx = SlotPool::create(
      {.slots = options.receive_slots + waiting_max, .slot_bytes = options.datagram_bytes_max});
  if (!rx) return std::unexpected(std::move(rx.error()));
  auto tx =
      SlotPool::create({.slots = options.send_slots, .slot_bytes = options.packet_room_bytes});
  if (!tx) return std::unexpected(std::move(tx.error()));
  return std::unique_ptr<MemoryDatagrams>(
      new MemoryDatagrams(options, switchboard, owner, std::move(*rx), std::move(*tx), counters));
}

MemoryDatagrams::MemoryDatagrams(const PortOptions& options, Switchboard& switchboard,
                                 MemoryPorts& owner, SlotPool rx, SlotPool tx,
                                 PortCounters& counters)
    : switchboard_(&switchboard),
      owner_(&owner),
      counters_(&counters),
      rx_slots_(std::move(rx)),
      tx_slots_(std::move(tx)),
      arrivals_(rx_slots_.slots()),
      held_max_(options.receive_slots) {}

void MemoryDatagrams::put(const Endpoint& from, Bytes bytes) {
  if (bytes.size() > rx_slots_.at(0).size()) return count(counters_->datagrams_too_large);
  if (rx_slots_.free() == 0) return;
  const std::size_t slot = rx_slots_.take();
  std::ranges::copy(bytes, rx_slots_.at(slot).begin());
  arrivals_[arrived_++ % arrivals_.size()] = {from, slot, bytes.size()};
}

std::size_t MemoryDatagrams::receive(std::span<RxPacket> burst) {
  const std::lock_guard lock(switchboard_->mutex);
  std::size_t received = 0;
  while (received < burst.size() && waiting()) {
    const Arrival& arrival = arrivals_[taken_++ % arrivals_.size()];
    burst[received++] = {.from = arrival.from,
                         .bytes = rx_slots_.at(arrival.slot).first(arrival.bytes),
                         .cookie = arrival.slot};
    ++held_;
  }
  if (arrived_ != taken_ && held_ == held_max_) count(counters_->receive_pauses);
  count(counters_->datagrams_received, received);
  return received;
}

void MemoryDatagrams::release(std::span<const RxPacket> burst) {
  const std::lock_guard lock(switchboard_->mutex);
  CHECK(held_ >= burst.size());
  for (const RxPacket& packet : burst) rx_slots_.give(packet.cookie);
  held_ -= burst.size();
}

std::size_t MemoryDatagrams::borrow(std::span<TxPacket> blanks) {
  const std::size_t lent = std::min(blanks.size(), tx_slots_.free());
  for (std::size_t i = 0; i < lent; ++i) {
    const std::size_t slot = tx_slots_.take();
    blanks[i] = {.to = {}, .room = tx_slots_.at(slot), .bytes = 0, .cookie = slot};
  }
  return lent;
}

void MemoryDatagrams::send(std::span<const TxPacket> filled) {
  const std::lock_guard lock(switchboard_->mutex);
  const Endpoint from = owner_->bound();
  for (const TxPacket& packet : filled) {
    tx_slots_.give(packet.cookie);
    if (packet.bytes == 0) continue;
    CHECK(packet.bytes <= packet.room.size());
    const bool possible =
        !packet.to.address.empty() && family_of(packet.to.address) == family_of(from.address);
    if (!possible) {
      count(counters_->datagrams_send_failed);
      continue;
    }
    count(counters_->datagrams_sent);
    MemoryPorts* const to = switchboard_->find(packet.to);
    if (to != nullptr) to->arrive(from, packet.room.first(packet.bytes));
  }
}

}  // namespace starling::io
