// The loop: one thread, one lane, its ports. Everything else in a running node is called from it.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>

#include "core/engine/lane.h"
#include "io/clock.h"
#include "io/ports.h"
#include "io/thread/lane_bells.h"

namespace starling::io {

struct RunOptions {
  // Keep asking for this long after the last piece of work before sleeping. Zero: an idle node
  // costs nothing; a wake costs some tens of microseconds.
  // Duration::max(): never sleep.
  Duration spin = Duration::zero();
  // The other lanes of the node, if there are any, and which of them this is.
  LaneBells* bells = nullptr;
  std::size_t lane = 0;
};

// What the loop drives: a Lane, or a script in tests.
template <class Driven>
concept Drivable = requires(Driven lane, Instant now, std::span<const RxPacket> rx,
                            std::span<TxPacket> tx, const StreamEvent& event) {
  { lane.poll(now, rx, tx) } -> std::same_as<PollResult>;
  { lane.take_stream_ops() } -> std::same_as<std::span<const StreamOp>>;
  lane.on_stream(now, event);
  { lane.wants_streams() } -> std::same_as<bool>;
  { lane.has_mail() } -> std::same_as<bool>;
};

// Runs until `stop` is set (and the ports were woken). `on_news` is called after a turn with news,
// to tell the owner that there may be events: see Doorbell. The last thing it does is
// ports.leave().
template <Drivable Driven, class OnNews>
void run_lane(Driven& lane, Ports& ports, const std::atomic<bool>& stop, OnNews&& on_news,
              RunOptions options = {}) {
  struct ToLane final : StreamPort::Sink {
    ToLane(Driven& to, Instant at) : lane(&to), now(at) {}
    void on_event(const StreamEvent& event) override { lane->on_stream(now, event); }
    Driven* lane;
    Instant now;
  };

  DatagramPort& datagrams = ports.datagrams();
  StreamPort& streams = ports.streams();
  std::array<RxPacket, Lane::burst_wanted> rx;
  std::array<TxPacket, 2 * Lane::blanks_wanted> tx;
  std::size_t held = 0;  // received and not yet taken by the lane
  std::size_t lent = 0;  // blanks at hand
  Instant busy_at = MonotonicClock::now();

  // Pairs with the store in LaneThread::stop().
  while (!stop.load(std::memory_order_acquire)) {
    held += datagrams.receive(std::span(rx).subspan(held));
    lent += datagrams.borrow(std::span(tx).subspan(lent));

    const Instant now = MonotonicClock::now();  // the only clock read of a turn with work
    ToLane sink(lane, now);
    // What streams bring may be for other lanes: it waits while those have no room.
    const std::size_t delivered = lane.wants_streams() ? streams.deliver(sink) : 0;
    const PollResult turn = lane.poll(now, std::span(rx).first(held), std::span(tx).first(lent));
    const std::span<const StreamOp> ops = lane.take_stream_ops();
    if (!ops.empty()) streams.submit(ops);
    datagrams.send(std::span(tx).first(turn.filled));
    datagrams.release(std::span(rx).first(turn.taken));
    if (turn.mailed != 0 && options.bells != nullptr) options.bells->ring(turn.mailed);
    if (turn.news) on_news();

    const bool more = held == rx.size() && turn.taken > 0;
    std::shift_left(tx.begin(), tx.begin() + static_cast<std::ptrdiff_t>(lent),
                    static_cast<std::ptrdiff_t>(turn.filled));
    lent -= turn.filled;
    std::shift_left(rx.begin(), rx.begin() + static_cast<std::ptrdiff_t>(held),
                    static_cast<std::ptrdiff_t>(turn.taken));
    held -= turn.taken;

    if (more || turn.next_due <= now) continue;
    if (options.spin > Duration::zero()) {
      if (turn.taken + turn.filled + delivered + ops.size() > 0) busy_at = now;
      if (now - busy_at < options.spin) continue;
    }
    if (options.bells == nullptr) {
      ports.wait(turn.next_due - now);
      continue;
    }
    options.bells->lie_down(options.lane);
    if (!lane.has_mail()) ports.wait(turn.next_due - now);
    options.bells->get_up(options.lane);
  }

  datagrams.release(std::span(rx).first(held));
  for (TxPacket& blank : std::span(tx).first(lent)) blank.bytes = 0;
  datagrams.send(std::span(tx).first(lent));
  ports.leave();
}

}  // namespace starling::io
