#include "io/dpdk/neighbours.h"

#include <algorithm>

#include "io/address.h"

namespace starling::io {

namespace {

using std::chrono::milliseconds;

constexpr Duration first_pause = milliseconds(1), longest_pause = milliseconds(50);
constexpr Duration between_requests = milliseconds(250);
// A destination that does not answer costs a search this often at most.
constexpr Duration rest_after_search = milliseconds(500);

std::uint64_t hash_of(const IpAddress& address) {
  // FNV-1a; who chooses addresses to collide only pushes out entries that are found again.
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const std::byte octet : address.bytes()) {
    hash = (hash ^ std::to_integer<std::uint64_t>(octet)) * 0x100000001b3;
  }
  return hash ^ hash >> 32;
}

}  // namespace

std::expected<Neighbours, std::string> Neighbours::create(const Options& options) {
  CHECK(std::has_single_bit(options.destinations_max) && options.destinations_max >= ways);
  if (options.interface == InterfaceIndex::none) return Neighbours(options, std::nullopt);
  auto rtnetlink = Rtnetlink::open();
  if (!rtnetlink) return std::unexpected(std::move(rtnetlink.error()));
  return Neighbours(options, std::move(*rtnetlink));
}

Neighbours::Neighbours(const Options& options, std::optional<Rtnetlink> rtnetlink)
    : options_(options), rtnetlink_(std::move(rtnetlink)), entries_(options.destinations_max) {}

Neighbours::Entry* Neighbours::existing(const IpAddress& to) {
  const std::size_t set = hash_of(to) % (entries_.size() / ways) * ways;
  for (Entry& entry : std::span(entries_).subspan(set, ways)) {
    if (entry.state != State::empty && entry.to == to) return &entry;
  }
  return nullptr;
}

// A new entry takes an empty place, or that of the one that ends first.
Neighbours::Entry& Neighbours::entry_of(const IpAddress& to) {
  if (Entry* const known = existing(to)) return *known;
  const std::size_t set = hash_of(to) % (entries_.size() / ways) * ways;
  const std::span<Entry> places = std::span(entries_).subspan(set, ways);
  Entry& place = *std::ranges::min_element(places, {}, [](const Entry& entry) {
    return entry.state == State::empty ? Instant::min() : entry.until;
  });
  place = {.to = to};
  return place;
}

Neighbours::Found Neighbours::find(Instant now, const IpAddress& to) {
  Entry& entry = entry_of(to);
  if (entry.state == State::known && now < entry.until) return {Answer::known, entry.hop};
  if (entry.state == State::given_up && now < entry.until) return {Answer::nowhere, {}};
  if (entry.state != State::searching) {
    // What was known is believed while it is confirmed: the search may end at once.
    entry.state = State::searching;
    entry.until = now + options_.search_max;
    entry.ask_at = entry.push_at = now;
    entry.pause = first_pause;
  }
  if (now >= entry.ask_at || now >= entry.push_at) search(now, entry);
  if (entry.state == State::searching && now >= entry.until) {
    entry.state = State::given_up;
    entry.until = now + rest_after_search;
  }
  if (entry.state == State::known) return {Answer::known, entry.hop};
  return {entry.state == State::searching ? Answer::searching : Answer::nowhere, {}};
}

void Neighbours::search(Instant now, Entry& entry) {
  if (!rtnetlink_) {
    if (now < entry.push_at) return;
    entry.push_at = entry.ask_at = now + between_requests;
    return request(entry.to);
  }
  entry.ask_at = now + entry.pause;
  entry.pause = std::min(entry.pause * 2, longest_pause);
  ask_kernel(now, entry);
}

bool Neighbours::ask_kernel(Instant now, Entry& entry) {
  const std::optional<KernelRoute> route = rtnetlink_->route(entry.to);
  const bool usable = route && route->interface == options_.interface &&
                      (!options_.local.any || !route->source.empty());
  if (!usable) {
    entry.state = State::given_up;
    entry.until = now + rest_after_search;
    return false;
  }
  const std::optional<KernelNeighbour> neighbour =
      rtnetlink_->neighbour(route->interface, route->next_hop);
  // The kernel does not see our packets go out, so it does not confirm a neighbour by itself.
  if ((!neighbour || !neighbour->fresh) && now >= entry.push_at) {
    entry.push_at = now + between_requests;
    rtnetlink_->provoke(route->next_hop, route->interface);
  }
  if (!neighbour) return false;
  entry.state = State::known;
  entry.until = now + options_.believed_max;
  entry.hop = {neighbour->mac, options_.local.any ? route->source : options_.local.address};
  return true;
}

void Neighbours::request(const IpAddress& to) {
  // Without a kernel only a port with one address can ask and be asked.
  if (options_.local.any || to.bytes().size() != options_.local.address.bytes().size()) return;
  if (requests_waiting_ < requests_.size()) requests_[requests_waiting_++] = to;
}

std::size_t Neighbours::take_request(MutableBytes room) {
  if (requests_waiting_ == 0) return 0;
  const IpAddress wanted = requests_[--requests_waiting_];
  return write_request(room, {options_.local.address, options_.local.mac}, wanted);
}

std::size_t Neighbours::on_discovery(Instant now, Bytes frame, MutableBytes room) {
  if (rtnetlink_ || options_.local.any) return 0;
  const Neighbour own{options_.local.address, options_.local.mac};
  const bool arp = frame.size() >= ethernet_bytes && big16(frame, 12) == ethertype_arp;
  if (arp != (own.address.bytes().size() == 4)) return 0;
  const std::optional<Discovered> found = read_discovery(frame, own);
  if (!found || !found->sender) return 0;
  if (found->asks_for_us) {
    // Who asks is about to send, and will be answered: as RFC 826 says, it gets an entry.
    learn(now, *found->sender, &entry_of(found->sender->address));
    return write_answer(room, own, *found->sender);
  }
  learn(now, *found->sender, existing(found->sender->address));
  return 0;
}

void Neighbours::learn(Instant now, const Neighbour& neighbour, Entry* entry) {
  if (entry == nullptr) return;
  entry->state = State::known;
  entry->until = now + options_.believed_max;
  entry->hop = {neighbour.mac, options_.local.address};
}

}  // namespace starling::io
