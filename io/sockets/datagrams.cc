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
  for (std::size_t at = 0; at < filled.size();) {
    const TxPacket& first = filled[at];
    if (first.bytes == 0) {
      ++at;
      continue;
    }
    // A batch has as many vectors as messages.
    const std::size_t room = batch_max - datagrams_;
    const std::size_t run =
        segmentation_.run(filled.subspan(at).first(std::min(room, filled.size() - at)));
    const std::span<const TxPacket> packets = filled.subspan(at, run);
    at += run;
    if (!to_socket_address(first.to, family_, zone_, addresses_[messages_])) {
      count(counters_->datagrams_send_failed, run);
      continue;
    }
    msghdr& header = headers_[messages_].msg_hdr;
    header.msg_namelen = addresses_[messages_].bytes;
    header.msg_iov = &vectors_[datagrams_];
    header.msg_iovlen = run;
    if (run > 1) segment_headers_[messages_].attach(header, first.bytes);
    for (const TxPacket& packet : packets) {
      CHECK(packet.bytes <= packet.room.size());
      vectors_[datagrams_++] = {packet.room.data(), packet.bytes};
    }
    ++messages_;
    if (datagrams_ == batch_max) send_batch();
  }
  send_batch();
  for (const TxPacket& packet : filled) tx_slots_.give(packet.cookie);
}

void SocketDatagrams::send_batch() {
  std::size_t done = 0;
  while (done < messages_) {
    const int result = ::sendmmsg(socket_.descriptor(), headers_.data() + done,
                                  static_cast<unsigned>(messages_ - done), MSG_DONTWAIT);
    const std::size_t taken = result > 0 ? static_cast<std::size_t>(result) : 0;
    for (std::size_t i = done; i < done + taken; ++i) {
      const std::size_t packets = headers_[i].msg_hdr.msg_iovlen;
      count(counters_->datagrams_sent, packets);
      if (packets > 1) count(counters_->datagrams_grouped, packets);
    }
    done += taken;
    if (taken > 0) continue;
    // The first one was refused; the others may still have a way.
    const msghdr& refused = headers_[done].msg_hdr;
    if (refused.msg_iovlen > 1 && Segmentation::is_refusal(errno)) {
      segmentation_.refused(errno, refused.msg_iov->iov_len);
      count(counters_->groups_refused);
      send_alone(refused);
    } else {
      count(counters_->datagrams_send_failed, refused.msg_iovlen);
    }
    ++done;
  }
  // As receiving wants them.
  for (std::size_t i = 0; i < messages_; ++i) {
    msghdr& header = headers_[i].msg_hdr;
    header.msg_iov = &vectors_[i];
    header.msg_iovlen = 1;
    header.msg_control = nullptr;
    header.msg_controllen = 0;
  }
  messages_ = 0;
  datagrams_ = 0;
}

void SocketDatagrams::send_alone(const msghdr& run) {
  for (const iovec& vector : std::span(run.msg_iov, run.msg_iovlen)) {
    const ssize_t sent =
        ::sendto(socket_.descriptor(), vector.iov_base, vector.iov_len, MSG_DONTWAIT,
                 static_cast<const sockaddr*>(run.msg_name), run.msg_namelen);
    count(sent >= 0 ? counters_->datagrams_sent : counters_->datagrams_send_failed);
  }
}

}  // namespace starling::io
