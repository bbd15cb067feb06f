// A shard: one partition of a node, turned by its lane. The table of contents of a turn.
//
// Commands, then datagrams, then timers that are due: a process that was stopped for a while first
// hears what came in meanwhile and only then decides who has failed. Pure: no clock, no thread, no
// system call, no allocation after construction. Composition only; the work is in the files beside.
#pragma once

#include "core/shard/node.h"

namespace starling {

class Shard {
 public:
  Shard(Arena& arena, const EngineOptions& options, Instant start, EventWriter events,
        RingReader commands, LanePlace place = {});
  static std::size_t footprint(const EngineOptions& options);

  PollResult poll(Instant now, std::span<const RxPacket> rx, std::span<TxPacket> tx);
  void on_stream(Instant now, const StreamEvent& event);
  // See Lane::wants_streams.
  bool wants_streams() const { return node_.alone() || node_.mail.roomy(); }
  // See Lane::has_mail.
  bool has_mail() const { return node_.mail.waiting(); }
  std::span<const StreamOp> take_stream_ops() { return node_.out.take_stream_ops(); }

 private:
  void start(Instant now);
  // False: not enough blanks; the timer is armed again for the next turn.
  bool fire(Instant now, TimerId id);
  void fire_fixed(Instant now, FixedTimer id);
  // Sees to it that the gossip tick comes when it has something to do.
  void arm_gossip(Instant now);

  Node node_;
  RingReader commands_;
  Instant gossip_tick_{};  // the last one, or the start: the others lie whole intervals from it
};

}  // namespace starling
