#include "core/shard/sync_state.h"

#include <algorithm>
#include <bit>

#include "core/digest/answer.h"

namespace starling {

namespace {

// Cells tell tables apart that differ in about a third of their number. A table that is small needs
// few: it is streamed in a moment. Each of several lanes has as many as its node needs: they add
// up.
std::uint32_t cells_for(const EngineOptions& options) {
  const std::uint64_t rows = std::uint64_t{options.capacity.members_max} * options.lanes / 32;
  return static_cast<std::uint32_t>(std::bit_ceil(std::clamp<std::uint64_t>(rows, 1024u, 32'768u)));
}

// What labels and encryption may add to a message.
constexpr std::size_t wrapping_bytes = 64;

ExchangeOptions exchange_options(const EngineOptions& options) {
  ExchangeOptions exchange;
  exchange.cells_max = cells_for(options);
  exchange.room = SyncState::room(options);
  return exchange;
}

// Each datagram's worth of rows that an exchange brings may be gossiped on this often.
constexpr TokenBucket::Rate gossip_rate{.bytes_per_second = 4'096,
                                        .burst = std::chrono::seconds(1)};

}  // namespace

SyncState::SyncState(Arena& arena, const EngineOptions& options, Instant start)
    : digest(arena,
             DigestKey(options.keyring.empty() ? Bytes{} : options.keyring.primary().bytes()),
             cells_for(options)),
      exchange(arena, exchange_options(options)),
      gossip_allowance(gossip_rate, start) {}

std::size_t SyncState::footprint(const EngineOptions& options) {
  Footprint sum;
  sum.add(DigestTable::footprint(cells_for(options)));
  sum.add(Exchange::footprint(exchange_options(options)));
  return sum.total();
}

std::size_t SyncState::room(const EngineOptions& options) {
  const std::size_t around = wrapping_bytes + options.label.size();
  return std::min(options.swim.udp_buffer_bytes - around, sync_message_bytes_max);
}

bool SyncState::possible(const EngineOptions& options) {
  return options.swim.digests &&
         options.swim.udp_buffer_bytes >= sync_room_min + wrapping_bytes + label_bytes_max;
}

}  // namespace starling
