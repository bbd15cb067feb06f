#include "io/sockets/datagrams.h"

#include <algorithm>
#include <cerrno>

namespace starling::io {

std::expected<std::unique_ptr<SocketDatagrams>, std::string> SocketDatagrams::create(
    const PortOptions& options, File socket, int family, PortCounters& counters) {
  auto rx =
      SlotPool::create({.slots = options.receive_slots, .slot_bytes = options.datagram_bytes_max});
  if (!rx) return std::unexpected(std::move(rx.error()));
  auto tx =
      SlotPool::create({.slots = options.send_slots, .slot_bytes = options.packet_room_bytes});
  if (!tx) return std::unexpected(std::move(tx.error()));
  return std::unique_ptr<SocketDatagrams>(new SocketDatagrams(
      std::move(socket), family, options.zone, std::move(*rx), std::move(*tx), counters));
}

SocketDatagrams::SocketDatagrams(File socket, int family, Zone zone, SlotPool rx, SlotPool tx,
                                 PortCounters& counters)
    : socket_(std::move(socket)),
      family_(family),
      zone_(zone),
      rx_slots_(std::move(rx)),
      tx_slots_(std::move(tx)),
      counters_(&counters) {
  for (std::size_t i = 0; i < batch_max; ++i) {
    msghdr& header = headers_[i].msg_hdr;
    header.msg_iov = &vectors_[i];
    header.msg_iovlen = 1;
    header.msg_name = addresses_[i].get();
  }
}

std::size_t SocketDatagrams::receive(std::span<RxPacket> burst) {
  std::size_t received = 0;
  while (received < burst.size() && receive_batch(burst, received)) {
  }
  count(counters_->datagrams_received, received);
  return received;
}

bool SocketDatagrams::receive_batch(std::span<RxPacket> burst, std::size_t& received) {
  const std::size_t wanted = std::min({batch_max, burst.size() - received, rx_slots_.free()});
  if (wanted == 0) {
    count(counters_->receive_pauses);
    return false;
  }
  std::array<std::size_t, batch_max> slots;
  for (std::size_t i = 0; i < wanted; ++i) {
    slots[i] = rx_slots_.take();
    const MutableBytes room = rx_slots_.at(slots[i]);
    vectors_[i] = {room.data(), room.size()};
    headers_[i].msg_hdr.msg_namelen = sizeof(sockaddr_storage);
  }
  const int result = ::recvmmsg(socket_.descriptor(), headers_.data(),
                                static_cast<unsigned>(wanted), MSG_DONTWAIT, nullptr);
  const std::size_t arrived = result > 0 ? static_cast<std::size_t>(result) : 0;
  for (std::size_t i = 0; i < arrived; ++i) {
    if ((headers_[i].msg_hdr.msg_flags & MSG_TRUNC) != 0) {
      count(counters_->datagrams_too_large);
      rx_slots_.give(slots[i]);
      continue;
    }
    burst[received++] = {.from = to_endpoint(addresses_[i].storage),
                         .bytes = rx_slots_.at(slots[i]).first(headers_[i].msg_len),
                         .cookie = slots[i]};
  }
  // In reverse, so that the next batch takes the same slots: they are warm in the cache.
  for (std::size_t i = wanted; i > arrived; --i) rx_slots_.give(slots[i - 1]);
  return arrived == wanted;
}

void SocketDatagrams::release(std::span<const RxPacket> burst) {
  for (const RxPacket& packet : burst) rx_slots_.give(packet.cookie);
}

std::size_t SocketDatagrams::borrow(std::span<TxPacket> blanks) {
  const std::size_t lent = std::min(blanks.size(), tx_slots_.free());
  for (std::size_t i = 0; i < lent; ++i) {
    const std::size_t slot = tx_slots_.take();
    blanks[i] = {.to = {}, .room = tx_slots_.at(slot), .bytes = 0, .cookie = slot};
  }
  return lent;
}

void SocketDatagrams::send(std::span<const TxPacket> filled) {
  std::size_t prepared = 0;
  for (const TxPacket& packet : filled) {
    if (packet.bytes == 0) continue;
    CHECK(packet.bytes <= packet.room.size());
    if (!to_socket_address(packet.to, family_, zone_, addresses_[prepared])) {
      count(counters_->datagrams_send_failed);
      continue;
    }
    headers_[prepared].msg_hdr.msg_namelen = addresses_[prepared].bytes;
    vectors_[prepared] = {packet.room.data(), packet.bytes};
    if (++prepared == batch_max) {
      send_batch(prepared);
      prepared = 0;
    }
  }
  send_batch(prepared);
  for (const TxPacket& packet : filled) tx_slots_.give(packet.cookie);
}

void SocketDatagrams::send_batch(std::size_t datagrams) {
  std::size_t done = 0;
  while (done < datagrams) {
    const int result = ::sendmmsg(socket_.descriptor(), headers_.data() + done,
                                  static_cast<unsigned>(datagrams - done), MSG_DONTWAIT);
    if (result > 0) {
      done += static_cast<std::size_t>(result);
      count(counters_->datagrams_sent, static_cast<std::uint64_t>(result));
      continue;
    }
    // The first one was refused; the others may still have a way.
    count(counters_->datagrams_send_failed);
    ++done;
  }
}

}  // namespace starling::io
