#include "sim/network.h"

#include <algorithm>

namespace starling::sim {

namespace {
// A heap with the earliest on top: "later" is less. Equal arrivals keep the order of sending.
bool later(const Datagram& a, const Datagram& b) {
  return a.arrival != b.arrival ? a.arrival > b.arrival : a.order > b.order;
}
constexpr std::size_t spare_max = 4096;
}  // namespace

struct Network::Draws {
  bool lost, duplicated, reordered, corrupted;
  Duration latency, second_latency, held_back;
  std::uint64_t bits;
};

Network::Network(const Links& links, Random random, bool deliver_corrupted, Report& report,
                 std::size_t in_flight_max)
    : links_(links),
      random_(random),
      deliver_corrupted_(deliver_corrupted),
      report_(report),
      in_flight_max_(in_flight_max) {}

Fate Network::send(Instant now, NodeId from, const Endpoint& to, Bytes bytes) {
  report_.add(Count::datagrams_sent);
  const std::optional<NodeId> target = node_at(to, links_.nodes());
  const NodeId receiver = target.value_or(from);
  // All draws first, in a fixed order and number.
  Draws draws{};
  draws.lost = random_.chance(conditions_.loss);
  draws.duplicated = random_.chance(conditions_.duplicate);
  draws.reordered = random_.chance(conditions_.reorder);
  draws.corrupted = random_.chance(conditions_.corrupt);
  draws.latency = links_.latency(from, receiver, random_);
  draws.second_latency = links_.latency(from, receiver, random_);
  draws.held_back = random_.between(Duration::zero(), conditions_.reorder_delay_max);
  draws.bits = random_.next();

  if (!target) return Fate::misaddressed;
  if (links_.parted(from, receiver)) {
    report_.add(Count::partition_drops);
    return Fate::blocked;
  }
  if (links_.deaf(from, receiver)) {
    report_.add(Count::one_way_drops);
    return Fate::blocked;
  }
  if (links_.dark(receiver)) return Fate::blocked;
  if (draws.lost) {
    report_.add(Count::datagrams_lost);
    return Fate::lost;
  }
  if (draws.duplicated &&
      put(now + draws.second_latency, from, receiver, bytes, std::nullopt) == Fate::sent) {
    report_.add(Count::datagrams_duplicated);
  }
  if (draws.reordered) report_.add(Count::datagrams_reordered);
  const Duration held_back = draws.reordered ? draws.held_back : Duration::zero();
  if (draws.corrupted && !bytes.empty()) {
    report_.add(Count::datagrams_corrupted);
    if (!deliver_corrupted_) return Fate::lost;
  }
  const std::optional<std::uint64_t> bits =
      draws.corrupted ? std::optional(draws.bits) : std::nullopt;
  return put(now + draws.latency + held_back, from, receiver, bytes, bits);
}

Fate Network::put(Instant arrival, NodeId from, NodeId to, Bytes bytes,
                  std::optional<std::uint64_t> flip_bits) {
  if (heap_.size() >= in_flight_max_) return Fate::overflow;
  Datagram datagram{arrival, order_++, from, to, {}};
  if (!spare_.empty()) {
    datagram.bytes = std::move(spare_.back());
    spare_.pop_back();
  }
  datagram.bytes.assign(bytes.begin(), bytes.end());
  if (flip_bits) flip(datagram.bytes, *flip_bits);
  heap_.push_back(std::move(datagram));
  std::push_heap(heap_.begin(), heap_.end(), later);
  return Fate::sent;
}

void Network::flip(MutableBytes bytes, std::uint64_t draw) {
  if (bytes.empty()) return;
  const std::size_t flips = 1 + draw % 3;
  for (std::size_t i = 0; i < flips; ++i) {
    draw = draw * 6364136223846793005ULL + 1442695040888963407ULL;
    const std::size_t bit = static_cast<std::size_t>((draw >> 20) % (bytes.size() * 8));
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
  }
}

Instant Network::next_due() const {
  return heap_.empty() ? Instant::max() : heap_.front().arrival;
}

std::optional<Datagram> Network::pop_due(Instant now) {
  while (!heap_.empty() && heap_.front().arrival <= now) {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    Datagram datagram = std::move(heap_.back());
    heap_.pop_back();
    if (links_.open(datagram.from, datagram.to)) {
      report_.add(Count::datagrams_delivered);
      return datagram;
    }
    report_.add(Count::partition_drops);
    recycle(std::move(datagram.bytes));
  }
  return std::nullopt;
}

void Network::recycle(std::vector<std::byte>&& bytes) {
  if (spare_.size() < spare_max) spare_.push_back(std::move(bytes));
}

}  // namespace starling::sim
