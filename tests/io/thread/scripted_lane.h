// A stand-in for a lane: answers every datagram and every stream chunk with the same bytes.
#pragma once

#include <atomic>
#include <cstring>
#include <string>
#include <vector>

#include "core/engine/lane.h"

namespace starling::io {

class EchoLane {
 public:
  PollResult poll(Instant now, std::span<const RxPacket> rx, std::span<TxPacket> tx) {
    PollResult result;
    polls.fetch_add(1, std::memory_order_relaxed);
    went_backwards = went_backwards || now < last;
    last = now;
    for (const RxPacket& packet : rx) {
      if (result.filled == tx.size() || result.taken == taken_max) break;
      TxPacket& blank = tx[result.filled++];
      ++result.taken;
      std::memcpy(blank.room.data(), packet.bytes.data(), packet.bytes.size());
      blank.to = packet.from;
      blank.bytes = static_cast<std::uint32_t>(packet.bytes.size());
    }
    result.next_due = result.taken < rx.size() ? now : now + sleep;
    result.news = result.taken > 0;
    return result;
  }
  void on_stream(Instant, const StreamEvent& event) {
    if (event.kind != StreamEvent::Kind::readable) return;
    held = std::string(as_text(event.bytes));
    ops.push_back(
        {.kind = StreamOp::Kind::write, .stream = event.stream, .to = {}, .bytes = as_bytes(held)});
    ops.push_back({.kind = StreamOp::Kind::finish, .stream = event.stream, .to = {}, .bytes = {}});
  }
  bool wants_streams() const { return true; }
  bool has_mail() const { return false; }
  std::span<const StreamOp> take_stream_ops() {
    taken_ops = std::move(ops);
    ops.clear();
    return taken_ops;
  }

  Duration sleep = std::chrono::seconds(10);
  std::size_t taken_max = 1000;  // datagrams per poll
  std::atomic<std::uint64_t> polls = 0;
  Instant last{};
  bool went_backwards = false;
  std::string held;
  std::vector<StreamOp> ops, taken_ops;
};

}  // namespace starling::io
