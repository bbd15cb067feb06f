// Streams (TCP) as a lane sees them: events come in, operations go out, both plain values.
//
// A port owns the sockets. The lane names a stream by its StreamId: the lane draws ids for streams
// it dials, the port draws ids with the top bit set for streams it accepts. An id is used again
// only after its `closed` or `failed` event was delivered or its `close` operation was taken.
//
// Life of a dialled stream:  connect -> connected | failed;  write -> written...;  readable...;
// close at any time. After `closed` (the peer's end of stream), `failed` or `close` no further
// event of that id comes. Deadlines belong to the lane: it sends `close` when its own timer fires,
// also for a pending connect.
#pragma once

#include <cstdint>

#include "wire/base/types.h"

namespace starling {

enum class StreamId : std::uint32_t {};
inline constexpr std::uint32_t stream_accepted_bit = 0x8000'0000U;
constexpr bool is_accepted(StreamId id) {
  return (static_cast<std::uint32_t>(id) & stream_accepted_bit) != 0;
}

struct StreamEvent {
  enum class Kind : std::uint8_t {
    accepted,   // a peer dialled us; `peer` is its address
    connected,  // our connect succeeded
    readable,   // `bytes` arrived; valid only during this call, all of it is taken
    written,    // the bytes of the last write operation are all handed to the kernel
    closed,     // the peer ended its side; nothing more will be readable
    failed,     // connect refused, reset, or unreachable; `error_number` is an errno value
  };
  Kind kind;
  StreamId stream;
  Endpoint peer;
  Bytes bytes;
  int error_number = 0;
};

struct StreamOp {
  enum class Kind : std::uint8_t {
    connect,  // to `to`
    write,    // `bytes` stay valid until written, failed or close; one write at a time per stream
    close,    // frees the stream; pending writes are abandoned
    finish,   // half-close after the last write has left in order; `readable` may still come, then
              // `closed` when the peer ends its side or a second has passed
  };
  Kind kind;
  StreamId stream;
  Endpoint to;
  Bytes bytes;
};

}  // namespace starling
