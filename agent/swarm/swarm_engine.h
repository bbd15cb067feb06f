// SwarmEngine: one engine of a swarm with its memory, ports and observer, ready to be turned.
//
// One thread turns it and nobody else touches the engine; other threads give orders and read
// snapshots, which cross under a lock that is held for a copy. Ended by an order, it gives its
// ports back, so that whatever is sent to it is lost, as with a machine that died.
#pragma once

#include <deque>
#include <expected>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "agent/swarm/observer.h"
#include "core/engine/engine.h"
#include "io/mapped_memory.h"
#include "io/ports.h"

namespace starling::agent::swarm {

struct Order {
  enum class Kind : std::uint8_t {
    join,      // exchange tables with the engine at `to`
    host,      // `member` comes (back), with `meta`
    abandon,   // `member` ends without a word
    leave,     // `member` leaves
    set_meta,  // `member` changes to `meta`
    watch,     // note what happens in `watch` from now on
    end,       // the whole engine ends
  };
  Kind kind{};
  std::uint32_t member = 0;
  Endpoint to;
  std::string meta;
  std::shared_ptr<Watch> watch;
};

// What others may know of an engine; as of `at`.
struct Snapshot {
  Instant at{};
  bool ended = false;
  Stats stats;
  Sightings sightings;
  std::uint64_t joins_done = 0;    // orders of that kind that ended well
  std::uint64_t joins_failed = 0;  // ... and not
  std::uint64_t orders_refused = 0;
  std::string last_problem;  // why the last one was not done
  bool populated = false;    // everybody it should host was taken in
};

class SwarmEngine {
 public:
  // How old a snapshot can be, but for the length of a turn.
  static constexpr Duration snapshot_interval = std::chrono::milliseconds(200);

  // `options` describe the first member; the engine takes in the rest of its share by itself.
  static std::expected<std::unique_ptr<SwarmEngine>, std::string> create(
      const EngineOptions& options, std::unique_ptr<io::Ports> ports, const Population& population,
      std::uint32_t index, Instant start);

  // Any thread. Orders of one kind are carried out as given, a few a turn.
  void order(Order order);
  Snapshot snapshot() const;

  // Its thread: one turn. `busy`: more can be done at once, nobody should sleep.
  struct Turn {
    bool busy = false;
    Instant next_due{};
  };
  Turn turn(Instant now);

 private:
  SwarmEngine(const Population& population, std::uint32_t index)
      : population_(&population), index_(index), observer_(population, index) {}

  void take_orders(Instant now);
  bool carry_out(Instant now, Order& order);
  // Sends commands that take in the rest of the share; whether there are more.
  bool populate();
  void drain_events();
  void on_done(const Event& event);
  void publish(const Event& stats);
  void end(Instant now);

  const Population* population_;
  const std::uint32_t index_;
  Observer observer_;
  io::MappedMemory memory_;
  std::unique_ptr<io::Ports> ports_;
  std::unique_ptr<Engine> engine_;

  std::array<RxPacket, Lane::burst_wanted> rx_;
  std::array<TxPacket, 2 * Lane::blanks_wanted> tx_;
  std::size_t held_ = 0;  // received and not yet taken by the lane
  std::size_t lent_ = 0;  // blanks at hand

  std::uint32_t next_to_host_ = 0;
  Instant stats_due_{};
  std::deque<Order> waiting_;
  unsigned broadcasts_waited_for_ = 0;  // orders whose end comes with a broadcast
  Snapshot draft_;

  mutable std::mutex mutex_;  // guards the rest
  std::vector<Order> ordered_;
  Snapshot published_;
};

}  // namespace starling::agent::swarm
