#include "io/dpdk/datagrams.h"

#include <algorithm>

#include "io/address.h"
#include "io/clock.h"
#include "io/dpdk/mbuf_burst.h"

namespace starling::io {

namespace {

// How often the packets that wait for a neighbour are looked at.
constexpr Duration between_looks = std::chrono::milliseconds(1);
// Bursts taken in one call, so that a flood of frames of others cannot hold a turn up.
constexpr int bursts_max = 8;

}  // namespace

Device::Options DpdkDatagrams::device_options(const PortOptions& options) {
  return {
      .packet_room_bytes = options.packet_room_bytes,
      // Received, lent, waiting for a neighbour, and a burst on its way each way.
      .packets_held_max = options.receive_slots + 2 * options.send_slots + 2 * Device::burst_max,
      .lanes = options.lanes};
}

std::expected<std::unique_ptr<DpdkDatagrams>, std::string> DpdkDatagrams::create(
    const PortOptions& options, const Endpoint& bound, DeviceNumber device,
    std::optional<DeviceNumber> tap, PortCounters& counters) {
  auto shared = SharedDevice::open(device, tap, device_options(options));
  if (!shared) return std::unexpected(std::move(shared.error()));
  return create(options, bound, std::move(*shared), counters);
}

std::expected<std::unique_ptr<DpdkDatagrams>, std::string> DpdkDatagrams::create(
    const PortOptions& options, const Endpoint& bound, std::shared_ptr<SharedDevice> shared,
    PortCounters& counters) {
  std::unique_ptr<DpdkDatagrams> datagrams(
      new DpdkDatagrams(options, bound, std::move(shared), counters));
  const auto& path = datagrams->shared_->exception_path();
  const InterfaceIndex interface = path ? path->interface() : datagrams->device().interface();
  if (interface == InterfaceIndex::none && datagrams->local_.any) {
    return std::unexpected("bind " + to_text(bound) + ": DPDK device " +
                           datagrams->device().name() +
                           " has no interface of the kernel; it needs one address of its own");
  }
  auto neighbours = Neighbours::create({.local = datagrams->local_, .interface = interface});
  if (!neighbours) return std::unexpected(std::move(neighbours.error()));
  datagrams->neighbours_.emplace(std::move(*neighbours));
  return datagrams;
}

DpdkDatagrams::DpdkDatagrams(const PortOptions& options, const Endpoint& bound,
                             std::shared_ptr<SharedDevice> shared, PortCounters& counters)
    : counters_(&counters),
      receive_slots_(options.receive_slots),
      send_slots_(options.send_slots),
      datagram_bytes_max_(options.datagram_bytes_max),
      bound_(bound),
      shared_(std::move(shared)),
      lane_(options.lane),
      local_(LocalAddress::from(device().mac(), bound)),
      waiting_(options.send_slots) {}

DpdkDatagrams::~DpdkDatagrams() {
  for (std::size_t i = arrived_taken_; i < arrived_packets_; ++i) {
    rte_pktmbuf_free(mbuf_of(arrived_[i].cookie));
  }
  for (const Waiting& waiting : std::span(waiting_).first(waiting_packets_)) {
    rte_pktmbuf_free(waiting.mbuf);
  }
}

std::string DpdkDatagrams::text() const {
  std::string text = device().name() + " (" + std::string(device().driver()) + ")";
  if (const std::string layout = shared_->layout(); !layout.empty()) text += ", " + layout;
  if (shared_->exception_path()) {
    text += ", the rest to the kernel by " + shared_->exception_path()->name();
  }
  text += neighbours_->asks_kernel() ? ", the kernel finds neighbours" : ", own neighbour search";
  return text;
}

bool DpdkDatagrams::gather() {
  bool came = arrived_taken_ < arrived_packets_;
  if (!came) {
    std::array<rte_mbuf*, Device::burst_max> packets;
    const std::size_t got = shared_->receive(lane_, packets);
    more_ = got == packets.size();
    take(std::span(packets).first(got));
    came = got > 0;
  }
  if (lane_ == 0 && shared_->pump() > 0) came = true;
  hear_discoveries();
  if (waiting_packets_ > 0) {
    const Instant now = MonotonicClock::now();
    if (now >= waiting_look_) send_waiting(now);
  }
  return came;
}

void DpdkDatagrams::take(std::span<rte_mbuf*> packets) {
  arrived_packets_ = arrived_taken_ = 0;
  std::array<rte_mbuf*, Device::burst_max> others;
  std::size_t other_packets = 0;
  for (rte_mbuf* const mbuf : packets) rte_prefetch0(rte_pktmbuf_mtod(mbuf, const void*));
  for (rte_mbuf* const mbuf : packets) {
    const Frame frame = parse_frame(frame_of(mbuf), local_);
    const bool discovery =
        frame.kind == FrameKind::arp || frame.kind == FrameKind::neighbour_discovery;
    if (frame.kind == FrameKind::datagram) {
      const bool damaged = device().verifies() && (mbuf->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) ==
                                                      RTE_MBUF_F_RX_L4_CKSUM_BAD;
      const bool too_large = frame.payload.size() > datagram_bytes_max_;
      if (too_large) count(counters_->datagrams_too_large);
      if (!damaged && !too_large) {
        arrived_[arrived_packets_++] = received(mbuf, frame);
        continue;
      }
    } else if (frame.kind == FrameKind::fragment) {
      // A datagram larger than its link's packets.
      count(counters_->datagrams_too_large);
    } else if (shared_->exception_path() && frame.kind != FrameKind::bad) {
      others[other_packets++] = mbuf;
      continue;
    } else if (discovery && !neighbours_->asks_kernel()) {
      on_discovery(MonotonicClock::now(), mbuf);
    }
    rte_pktmbuf_free(mbuf);
  }
  if (other_packets > 0) shared_->to_kernel(lane_, std::span(others).first(other_packets));
}

void DpdkDatagrams::send_raw(std::size_t bytes, rte_mbuf* mbuf) {
  rte_pktmbuf_append(mbuf, static_cast<std::uint16_t>(bytes));
  shared_->send(lane_, std::span(&mbuf, 1));
}

void DpdkDatagrams::on_discovery(Instant now, rte_mbuf* mbuf) {
  std::array<std::byte, discovery_bytes_max> answer;
  const std::size_t bytes = neighbours_->on_discovery(now, frame_of(mbuf), answer);
  shared_->tell(lane_, mbuf);
  // Somebody we were waiting for may have spoken.
  waiting_look_ = now;
  rte_mbuf* const reply = bytes > 0 ? rte_pktmbuf_alloc(device().pool()) : nullptr;
  if (reply == nullptr) return;
  std::memcpy(rte_pktmbuf_mtod(reply, std::byte*), answer.data(), bytes);
  send_raw(bytes, reply);
}

// Another lane has received them, and has answered.
void DpdkDatagrams::hear_discoveries() {
  while (rte_mbuf* const mbuf = shared_->heard(lane_)) {
    const Instant now = MonotonicClock::now();
    std::array<std::byte, discovery_bytes_max> answer;
    neighbours_->on_discovery(now, frame_of(mbuf), answer);
    waiting_look_ = now;
    rte_pktmbuf_free(mbuf);
  }
}

void DpdkDatagrams::send_requests() {
  std::array<std::byte, discovery_bytes_max> room;
  while (const std::size_t bytes = neighbours_->take_request(room)) {
    rte_mbuf* const mbuf = rte_pktmbuf_alloc(device().pool());
    if (mbuf == nullptr) return;
    std::memcpy(rte_pktmbuf_mtod(mbuf, std::byte*), room.data(), bytes);
    send_raw(bytes, mbuf);
  }
}

std::size_t DpdkDatagrams::receive(std::span<RxPacket> burst) {
  if (held_ >= receive_slots_) {
    count(counters_->receive_pauses);
    return 0;
  }
  const std::size_t wanted = std::min(burst.size(), receive_slots_ - held_);
  std::size_t received = 0;
  for (int bursts = 0; received < wanted && bursts < bursts_max; ++bursts) {
    if (arrived_taken_ == arrived_packets_ && !gather()) break;
    const std::size_t now = std::min(wanted - received, arrived_packets_ - arrived_taken_);
    std::copy_n(arrived_.begin() + static_cast<std::ptrdiff_t>(arrived_taken_), now,
                burst.begin() + static_cast<std::ptrdiff_t>(received));
    arrived_taken_ += now;
    received += now;
    if (!more_ && arrived_taken_ == arrived_packets_) break;
  }
  held_ += received;
  count(counters_->datagrams_received, received);
  return received;
}

void DpdkDatagrams::release(std::span<const RxPacket> burst) {
  CHECK(held_ >= burst.size());
  for (const RxPacket& packet : burst) rte_pktmbuf_free(mbuf_of(packet.cookie));
  held_ -= burst.size();
}

std::size_t DpdkDatagrams::borrow(std::span<TxPacket> blanks) {
  const std::size_t wanted = std::min(blanks.size(), send_slots_ - lent_);
  const std::size_t lent = lend_mbufs(device().pool(), blanks.first(wanted));
  lent_ += lent;
  return lent;
}

void DpdkDatagrams::send(std::span<const TxPacket> filled) {
  if (filled.empty()) return;
  const Instant now = MonotonicClock::now();
  for (const TxPacket& packet : filled) {
    rte_mbuf* const mbuf = mbuf_of(packet.cookie);
    if (packet.bytes == 0) {
      rte_pktmbuf_free(mbuf);
      continue;
    }
    CHECK(packet.bytes <= packet.room.size());
    send_or_wait(now, mbuf, packet.bytes, {unmapped(packet.to.address), packet.to.port});
  }
  flush();
  send_requests();
  CHECK(lent_ >= filled.size());
  lent_ -= filled.size();
}

bool DpdkDatagrams::reachable(const IpAddress& to) const {
  if (to.empty()) return false;
  return local_.any ? to.bytes().size() == 4 || !local_.only_ipv4
                    : to.bytes().size() == local_.address.bytes().size();
}

void DpdkDatagrams::send_or_wait(Instant now, rte_mbuf* mbuf, std::size_t bytes,
                                 const Endpoint& to) {
  const std::size_t headers = headers_bytes(to.address);
  if (!reachable(to.address) || headers - ethernet_bytes + bytes > device().mtu()) {
    return drop(mbuf);
  }
  const Neighbours::Found found = neighbours_->find(now, to.address);
  if (found.answer == Neighbours::Answer::known) return stage(mbuf, bytes, to, found.hop);
  if (found.answer == Neighbours::Answer::nowhere || waiting_packets_ == waiting_.size()) {
    return drop(mbuf);
  }
  waiting_[waiting_packets_++] = {mbuf, to, bytes};
}

void DpdkDatagrams::send_waiting(Instant now) {
  waiting_look_ = now + between_looks;
  const std::size_t packets = std::exchange(waiting_packets_, 0);
  for (std::size_t i = 0; i < packets; ++i) {
    // Goes back to a place that was looked at already, in its order.
    const Waiting waiting = waiting_[i];
    send_or_wait(now, waiting.mbuf, waiting.bytes, waiting.to);
  }
  flush();
  send_requests();
}

void DpdkDatagrams::stage(rte_mbuf* mbuf, std::size_t bytes, const Endpoint& to,
                          const NextHop& hop) {
  finish_mbuf(mbuf, bytes,
              {.source_mac = device().mac(),
               .destination_mac = hop.mac,
               .source = hop.source,
               .destination = to.address,
               .source_port = bound_.port,
               .destination_port = to.port},
              device().checksums());
  outgoing_[outgoing_packets_++] = mbuf;
  if (outgoing_packets_ == outgoing_.size()) flush();
}

void DpdkDatagrams::flush() {
  if (outgoing_packets_ == 0) return;
  const std::size_t sent = shared_->send(lane_, std::span(outgoing_).first(outgoing_packets_));
  count(counters_->datagrams_sent, sent);
  count(counters_->datagrams_send_failed, outgoing_packets_ - sent);
  outgoing_packets_ = 0;
}

void DpdkDatagrams::drop(rte_mbuf* mbuf) {
  count(counters_->datagrams_send_failed);
  rte_pktmbuf_free(mbuf);
}

}  // namespace starling::io
