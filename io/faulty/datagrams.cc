#include "io/faulty/datagrams.h"

#include <algorithm>
#include <functional>

#include "io/clock.h"

namespace starling::io {

namespace {

// Marks the cookies of packets that lie in our own slots.
constexpr std::uintptr_t own_bit = std::uintptr_t{1} << (8 * sizeof(std::uintptr_t) - 1);
constexpr std::size_t burst_max = 64;

}  // namespace

std::expected<std::unique_ptr<FaultyDatagrams>, std::string> FaultyDatagrams::create(
    DatagramPort& inner, const FaultControls& controls, const Options& options) {
  const SlotPool::Options size{.slots = options.late_max, .slot_bytes = options.datagram_bytes_max};
  auto outgoing = SlotPool::create(size);
  if (!outgoing) return std::unexpected(std::move(outgoing.error()));
  auto incoming = SlotPool::create(size);
  if (!incoming) return std::unexpected(std::move(incoming.error()));
  return std::unique_ptr<FaultyDatagrams>(
      new FaultyDatagrams(inner, controls, {std::move(*outgoing), {}, Rng(options.seed)},
                          {std::move(*incoming), {}, Rng(options.seed + 1)}));
}

FaultyDatagrams::FaultyDatagrams(DatagramPort& inner, const FaultControls& controls, Store outgoing,
                                 Store incoming)
    : inner_(&inner),
      controls_(&controls),
      outgoing_(std::move(outgoing)),
      incoming_(std::move(incoming)) {
  outgoing_.heap.reserve(outgoing_.slots.slots());
  incoming_.heap.reserve(incoming_.slots.slots());
}

bool FaultyDatagrams::Store::put(Instant due, std::uint64_t order, const Endpoint& peer,
                                 Bytes bytes) {
  if (slots.free() == 0 || bytes.size() > slots.at(0).size()) return false;
  const std::size_t slot = slots.take();
  std::ranges::copy(bytes, slots.at(slot).begin());
  heap.push_back({due, order, peer, slot, bytes.size()});
  std::ranges::push_heap(heap, std::greater<>{});
  return true;
}

FaultyDatagrams::Late FaultyDatagrams::Store::take() {
  std::ranges::pop_heap(heap, std::greater<>{});
  const Late late = heap.back();
  heap.pop_back();
  return late;
}

FaultyDatagrams::Fate FaultyDatagrams::draw(Rng& rng, const DatagramFaults& faults) {
  Fate fate;
  fate.lost = rng.chance(faults.loss);
  fate.corrupted = rng.chance(faults.corruption);
  fate.duplicated = rng.chance(faults.duplication);
  fate.delayed = rng.chance(faults.delay);
  fate.bit = rng.next();
  const Duration spread = std::max(faults.delay_max - faults.delay_min, Duration::zero());
  fate.by = faults.delay_min + Duration(rng.below(spread.count() + 1));
  if (fate.lost) {
    ++done_.lost;
    return fate;
  }
  if (fate.corrupted) ++done_.corrupted;
  return fate;
}

void FaultyDatagrams::flip(MutableBytes bytes, std::uint64_t bit) {
  if (bytes.empty()) return;
  const std::uint64_t which = bit % (bytes.size() * 8);
  bytes[which / 8] ^= std::byte{1} << (which % 8);
}

void FaultyDatagrams::send(std::span<const TxPacket> filled) {
  const DatagramFaults faults = controls_->get().outgoing;
  const Instant now = MonotonicClock::now();
  while (!filled.empty()) {
    std::array<TxPacket, burst_max> batch;
    const std::size_t packets = std::min(filled.size(), batch.size());
    for (std::size_t i = 0; i < packets; ++i) {
      TxPacket& packet = batch[i] = filled[i];
      if (packet.bytes == 0) continue;
      const Fate fate = draw(outgoing_.rng, faults);
      const MutableBytes bytes = packet.room.first(packet.bytes);
      if (!fate.lost && fate.corrupted) flip(bytes, fate.bit);
      // A double goes out on its own, as late as the original would be.
      const Instant due = fate.delayed ? now + fate.by : now;
      if (!fate.lost && fate.duplicated && outgoing_.put(due, order_++, packet.to, bytes)) {
        ++done_.duplicated;
      }
      const bool kept =
          !fate.lost && fate.delayed && outgoing_.put(due, order_++, packet.to, bytes);
      if (kept) ++done_.delayed;
      if (fate.lost || kept) packet.bytes = 0;  // the blank goes home unsent
    }
    inner_->send(std::span(batch).first(packets));
    filled = filled.subspan(packets);
  }
  turn();
}

void FaultyDatagrams::turn() {
  const Instant now = MonotonicClock::now();
  while (outgoing_.due(now)) {
    TxPacket blank;
    if (inner_->borrow(std::span(&blank, 1)) == 0) return;  // the next turn tries again
    const Late late = outgoing_.take();
    const MutableBytes bytes = outgoing_.slots.at(late.slot).first(late.bytes);
    // Ours came from a blank of the same port, so it fits into another.
    CHECK(bytes.size() <= blank.room.size());
    std::ranges::copy(bytes, blank.room.begin());
    blank.to = late.peer;
    blank.bytes = static_cast<std::uint32_t>(bytes.size());
    outgoing_.slots.give(late.slot);
    inner_->send(std::span(&blank, 1));
  }
}

std::size_t FaultyDatagrams::receive(std::span<RxPacket> burst) {
  turn();
  const DatagramFaults faults = controls_->get().incoming;
  const Instant now = MonotonicClock::now();
  std::size_t received = 0;
  while (received < burst.size() && incoming_.due(now)) {
    const Late late = incoming_.take();
    burst[received++] = {.from = late.peer,
                         .bytes = incoming_.slots.at(late.slot).first(late.bytes),
                         .cookie = late.slot | own_bit};
  }
  const std::size_t arrived = inner_->receive(burst.subspan(received));
  const std::span<RxPacket> fresh = burst.subspan(received, arrived);
  for (const RxPacket& packet : fresh) {
    const Fate fate = draw(incoming_.rng, faults);
    const Instant due = fate.delayed ? now + fate.by : now;
    if (!fate.lost && fate.duplicated && incoming_.put(due, order_++, packet.from, packet.bytes)) {
      ++done_.duplicated;
    }
    // Received bytes are not ours to change: a corrupted one comes from our store, perhaps at once.
    const bool stored = !fate.lost && (fate.delayed || fate.corrupted) &&
                        incoming_.put(due, order_++, packet.from, packet.bytes);
    if (stored && fate.delayed) ++done_.delayed;
    if (stored && fate.corrupted) {
      const auto own = std::ranges::find(incoming_.heap, order_ - 1, &Late::order);
      flip(incoming_.slots.at(own->slot).first(own->bytes), fate.bit);
    }
    if (fate.lost || stored) {
      inner_->release(std::span(&packet, 1));
    } else {
      burst[received++] = packet;
    }
  }
  return received;
}

void FaultyDatagrams::release(std::span<const RxPacket> burst) {
  for (const RxPacket& packet : burst) {
    if ((packet.cookie & own_bit) != 0) {
      incoming_.slots.give(packet.cookie & ~own_bit);
    } else {
      inner_->release(std::span(&packet, 1));
    }
  }
}

Instant FaultyDatagrams::next_due() const {
  Instant next = Instant::max();
  if (!outgoing_.heap.empty()) next = std::min(next, outgoing_.heap.front().due);
  if (!incoming_.heap.empty()) next = std::min(next, incoming_.heap.front().due);
  return next;
}

}  // namespace starling::io
