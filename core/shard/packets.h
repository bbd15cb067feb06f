// Datagrams as a lane sees them: received ones are views, blank ones are rooms to fill.
//
// The buffers belong to the port (a kernel buffer ring, an mbuf, a simulator's vector). A lane
// reads received bytes only during poll() and never keeps a view. Values; one thread.
#pragma once

#include <cstdint>

#include "core/base/time.h"
#include "wire/base/types.h"

namespace starling {

// The datagrams that a lane is best handed in one turn. Who hands over so many in each of many
// turns is taken to have more waiting: then the lane gossips less, so that everybody can catch up.
inline constexpr std::size_t burst_usual = 64;

struct RxPacket {
  Endpoint from;  // the datagram's source as the port saw it
  Bytes bytes;
  std::uintptr_t cookie;  // the port's own handle on the buffer; the lane does not look at it
};

struct TxPacket {
  Endpoint to;
  MutableBytes room;        // at least EngineOptions::packet_room_bytes()
  std::uint32_t bytes = 0;  // filled by the lane
  std::uintptr_t cookie = 0;
};

// What one turn of a lane did.
struct PollResult {
  std::uint32_t taken = 0;   // packets consumed from the front of rx; offer the rest again
  std::uint32_t filled = 0;  // packets written into the front of tx
  Instant next_due{};        // poll again no later than this
  std::uint32_t mailed = 0;  // other lanes that were sent mail, as a bit mask: wake them
  bool news = false;         // events were reported or commands taken: wake the engine's owner
};

}  // namespace starling
