#include "io/uring/datagrams.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace starling::io {

namespace {

// Room for either family's address in front of the payload, keeping that aligned.
constexpr std::size_t name_bytes = 32;
constexpr std::size_t header_bytes = sizeof(io_uring_recvmsg_out) + name_bytes;

}  // namespace

std::expected<std::unique_ptr<UringDatagrams>, std::string> UringDatagrams::create(
    const PortOptions& options, Ring& ring, int family, PortCounters& counters) {
  auto buffers =
      BufferRing::create(ring, {.group = buffer_group,
                                .buffers = options.receive_slots,
                                .buffer_bytes = header_bytes + options.datagram_bytes_max});
  if (!buffers) return std::unexpected(std::move(buffers.error()));
  auto tx =
      SlotPool::create({.slots = options.send_slots, .slot_bytes = options.packet_room_bytes});
  if (!tx) return std::unexpected(std::move(tx.error()));
  return std::unique_ptr<UringDatagrams>(
      new UringDatagrams(options, ring, family, std::move(*buffers), std::move(*tx), counters));
}

UringDatagrams::UringDatagrams(const PortOptions& options, Ring& ring, int family,
                               BufferRing buffers, SlotPool tx, PortCounters& counters)
    : ring_(&ring),
      family_(family),
      zone_(options.zone),
      buffers_(std::move(buffers)),
      tx_slots_(std::move(tx)),
      counters_(&counters),
      arrivals_(buffers_.buffers()) {
  runs_.reserve(tx_slots_.slots() / 2);
  receive_header_.msg_namelen = name_bytes;
}

void UringDatagrams::arm() {
  io_uring_sqe* const sqe = ring_->prepare({.kind = RingTag::Kind::receive});
  io_uring_prep_recvmsg_multishot(sqe, registered_file, &receive_header_, 0);
  sqe->flags |= IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
  sqe->buf_group = buffer_group;
  armed_ = true;
}

void UringDatagrams::on_received(int result, unsigned flags) {
  if ((flags & IORING_CQE_F_MORE) == 0) armed_ = false;
  if (result == -ENOBUFS) count(counters_->receive_pauses);
  if ((flags & IORING_CQE_F_BUFFER) == 0) return;
  const auto buffer = static_cast<std::uint32_t>(BufferRing::of(flags));
  if (result < 0) return buffers_.give(buffer);
  CHECK(pending() < arrivals_.size());
  arrivals_[arrived_++ % arrivals_.size()] = {buffer, static_cast<std::uint32_t>(result)};
}

std::size_t UringDatagrams::receive(std::span<RxPacket> burst) {
  std::size_t received = 0;
  while (received < burst.size() && pending() > 0) {
    const Arrival arrival = arrivals_[taken_++ % arrivals_.size()];
    if (unpack(arrival, burst[received])) {
      ++received;
      ++held_;
    } else {
      count(counters_->datagrams_too_large);
      buffers_.give(arrival.buffer);
    }
  }
  count(counters_->datagrams_received, received);
  return received;
}

// False when the datagram did not fit.
bool UringDatagrams::unpack(const Arrival& arrival, RxPacket& packet) {
  const Bytes record = buffers_.at(arrival.buffer).first(arrival.bytes);
  io_uring_recvmsg_out out;
  CHECK(record.size() >= header_bytes);
  std::memcpy(&out, record.data(), sizeof out);
  if ((out.flags & MSG_TRUNC) != 0) return false;
  sockaddr_storage from{};
  std::memcpy(&from, record.data() + sizeof out, std::min<std::size_t>(out.namelen, name_bytes));
  packet = {.from = to_endpoint(from),
            .bytes = record.subspan(header_bytes, out.payloadlen),
            .cookie = arrival.buffer};
  return true;
}

void UringDatagrams::release(std::span<const RxPacket> burst) {
  CHECK(held_ >= burst.size());
  for (const RxPacket& packet : burst) buffers_.give(packet.cookie);
  held_ -= burst.size();
}

std::size_t UringDatagrams::borrow(std::span<TxPacket> blanks) {
  const std::size_t lent = std::min(blanks.size(), tx_slots_.free());
  for (std::size_t i = 0; i < lent; ++i) {
    const std::size_t slot = tx_slots_.take();
    blanks[i] = {.to = {}, .room = tx_slots_.at(slot), .bytes = 0, .cookie = slot};
  }
  return lent;
}

void UringDatagrams::send(std::span<const TxPacket> filled) {
  ++send_serial_;
  for (std::size_t at = 0; at < filled.size();) {
    const std::size_t run = segmentation_.run(filled.subspan(at));
    // Each borrowed packet is in one run of at least two, so there is always room.
    if (run > 1) {
      prepare_run(filled.subspan(at, run), at);
    } else if (filled[at].bytes > 0) {
      prepare_send(filled[at]);
    }
    at += run;
  }
  submit_batch();
}

void UringDatagrams::prepare_send(const TxPacket& packet) {
  CHECK(packet.bytes <= packet.room.size());
  SocketAddress& address = addresses_[in_batch_];
  if (!to_socket_address(packet.to, family_, zone_, address)) {
    count(counters_->datagrams_send_failed);
    return;
  }
  io_uring_sqe* const sqe = ring_->prepare({.kind = RingTag::Kind::send});
  io_uring_prep_send(sqe, registered_file, packet.room.data(), packet.bytes, MSG_DONTWAIT);
  io_uring_prep_send_set_addr(sqe, address.get(), static_cast<std::uint16_t>(address.bytes));
  sqe->flags |= IOSQE_FIXED_FILE | IOSQE_CQE_SKIP_SUCCESS;
  ++submitted_;
  if (++in_batch_ == batch_max) submit_batch();
}

void UringDatagrams::prepare_run(std::span<const TxPacket> packets, std::size_t first) {
  if (vectors_used_ + packets.size() > vectors_max) submit_batch();
  SocketAddress& address = addresses_[in_batch_];
  if (!to_socket_address(packets.front().to, family_, zone_, address)) {
    count(counters_->datagrams_send_failed, packets.size());
    return;
  }
  msghdr& message = messages_[in_batch_];
  message = {.msg_name = address.get(),
             .msg_namelen = address.bytes,
             .msg_iov = &vectors_[vectors_used_],
             .msg_iovlen = packets.size()};
  segment_headers_[in_batch_].attach(message, packets.front().bytes);
  for (const TxPacket& packet : packets) {
    CHECK(packet.bytes <= packet.room.size());
    vectors_[vectors_used_++] = {packet.room.data(), packet.bytes};
  }
  CHECK(runs_.size() < runs_.capacity());
  const RingTag tag{RingTag::Kind::send_run, static_cast<std::uint16_t>(runs_.size()),
                    send_serial_};
  runs_.push_back(
      {static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(packets.size()), false});
  io_uring_sqe* const sqe = ring_->prepare(tag);
  io_uring_prep_sendmsg(sqe, registered_file, &message, MSG_DONTWAIT);
  sqe->flags |= IOSQE_FIXED_FILE | IOSQE_CQE_SKIP_SUCCESS;
  submitted_ += packets.size();
  if (++in_batch_ == batch_max) submit_batch();
}

void UringDatagrams::submit_batch() {
  if (in_batch_ > 0) ring_->submit();
  in_batch_ = vectors_used_ = 0;
}

void UringDatagrams::on_run_failed(RingTag tag, int result) {
  // A completion that comes after its send() has nothing left to send again.
  if (tag.serial != send_serial_) return count(counters_->datagrams_send_failed);
  Run& run = runs_[tag.slot];
  if (!Segmentation::is_refusal(-result)) {
    failed_ += run.packets;
    run.packets = 0;
    return;
  }
  run.refused = any_refused_ = true;
  refusal_ = -result;
}

bool UringDatagrams::finish_send(std::span<const TxPacket> filled) {
  const bool again = any_refused_;
  if (any_refused_) {
    for (Run& run : runs_) {
      if (!run.refused) continue;
      const std::span<const TxPacket> packets = filled.subspan(run.first, run.packets);
      segmentation_.refused(refusal_, packets.front().bytes);
      count(counters_->groups_refused);
      submitted_ -= run.packets;
      run.packets = 0;
      for (const TxPacket& packet : packets) prepare_send(packet);
    }
    submit_batch();
    any_refused_ = false;
  }
  for (const TxPacket& packet : filled) tx_slots_.give(packet.cookie);
  return again;
}

void UringDatagrams::count_sent() {
  for (const Run& run : runs_) count(counters_->datagrams_grouped, run.packets);
  runs_.clear();
  count(counters_->datagrams_send_failed, failed_);
  count(counters_->datagrams_sent, submitted_ - std::min(submitted_, failed_));
  submitted_ = failed_ = 0;
}

}  // namespace starling::io
