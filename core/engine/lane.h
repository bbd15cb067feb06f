// A lane: one shard of the protocol, driven by whoever calls poll(). The whole run-time interface.
//
// A turn is: hand over what arrived (stream events with on_stream, datagrams with poll), then send
// what came back (filled packets, stream operations), then come again when something arrives or at
// next_due. Nothing in here blocks, reads a clock, starts a thread or allocates after creation.
// One caller at a time, always the same thread. Same inputs, same instants, same seed: same
// outputs.
#pragma once

#include <memory>
#include <span>

#include "core/base/time.h"
#include "core/shard/packets.h"
#include "core/shard/streams.h"

namespace starling {

class Shard;

class Lane {
 public:
  // The blanks that poll() wants at the least; fewer is allowed but slows the lane down.
  static constexpr std::size_t blanks_wanted = 64;

  // The datagrams that poll() is best handed at a time.
  static constexpr std::size_t burst_wanted = burst_usual;

  explicit Lane(Shard& shard) : shard_(&shard) {}

  // Commands are drained here, due timers fire here, datagrams are answered here. Instants never go
  // backwards. When tx is full, work stays due and next_due says `now`.
  PollResult poll(Instant now, std::span<const RxPacket> rx, std::span<TxPacket> tx);

  // One stream event; may be called any number of times before a poll().
  void on_stream(Instant now, const StreamEvent& event);

  // Whether on_stream() may be called now: what streams bring is passed on to other lanes, and what
  // those have no room for is lost. With one lane always.
  bool wants_streams() const;
  // Whether another lane has sent something that poll() has not looked at: look before sleeping.
  bool has_mail() const;

  // Operations produced since the last call, in order. The span is valid until the next call of
  // poll() or on_stream(); the bytes of a write stay valid as StreamOp says.
  std::span<const StreamOp> take_stream_ops();

 private:
  Shard* shard_;
};

}  // namespace starling
