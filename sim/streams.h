// TCP in memory: connect, accept, refuse, ordered chunks, windows, slow links, resets.
//
// The world hands in the operations of the lanes and takes out events, with exactly the meaning of
// core/shard/streams.h. What the kernel would do is done here: a chunk that meets a closed link is
// sent again later, data for a process that is gone is answered with a reset, a paused process
// keeps its window shut. Bytes of a write are read from the lane's own memory until `written` is
// due, as a port does it. Everything is bounded by the window and by the lanes' session limits.
//
// Owned by the world; one thread.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "core/base/time.h"
#include "core/shard/streams.h"
#include "sim/links.h"
#include "sim/node_id.h"
#include "sim/random.h"
#include "sim/report.h"

namespace starling::sim {

struct StreamConditions {
  std::uint64_t bytes_per_s = 0;  // 0: as fast as the window allows
  double loss = 0;                // a chunk is lost and sent again after a timeout
};

struct StreamDelivery {
  NodeId node{};
  StreamEvent event;
};

class Streams {
 public:
  Streams(Links& links, Random random, Report& report);

  StreamConditions& conditions() { return conditions_; }

  void submit(Instant now, NodeId node, std::span<const StreamOp> ops);

  // Instant::max() when nothing is due.
  Instant next_due() const { return actions_.empty() ? Instant::max() : actions_.front().at; }
  // The next event at `now` or before. Its bytes are valid until the next call.
  std::optional<StreamDelivery> pop_due(Instant now);

  // The process of `node` listens (true) or is gone (false). When it goes, its kernel resets its
  // streams, unless the whole machine went dark.
  void set_running(Instant now, NodeId node, bool running);
  // Events for a paused process wait, in order.
  void set_paused(Instant now, NodeId node, bool paused);
  // A partition came up: each stream across it is either reset on both sides or left to stall.
  void on_partition(Instant now);

  std::size_t open_connections() const { return connections_.size(); }

 private:
  // accepted, written and broken are the own kernel's word; the others need an open link.
  enum class What : std::uint8_t {
    syn,
    accepted,
    connected,
    refused,
    chunk,
    written,
    fin,
    reset,
    broken
  };
  struct Action {
    Instant at;
    std::uint64_t order;
    std::uint64_t connection;
    std::uint8_t side;  // of `connection`: who receives the event
    What what;
    std::uint8_t attempts;
    int error_number;
  };
  struct Side {
    NodeId node{};
    StreamId id{};
    bool live = false;       // its lane knows the id
    bool finishing = false;  // finish was asked while a write was under way
    bool fin_sent = false;
    bool writing = false;
    Bytes rest{};                                 // of the write under way; the lane's memory
    std::deque<std::vector<std::byte>> flight{};  // chunks towards the other side
    std::size_t flight_bytes = 0;
    Instant last_arrival{};
  };
  struct Connection {
    std::array<Side, 2> sides;  // 0 dialled, 1 accepted
  };
  struct Key {
    NodeId node;
    StreamId id;
    friend auto operator<=>(const Key&, const Key&) = default;
  };

  void schedule(Instant at, std::uint64_t connection, std::uint8_t side, What what,
                int error_number = 0, std::uint8_t attempts = 0);
  bool retry(Instant now, Action action);
  std::optional<StreamDelivery> apply(Instant now, const Action& action);
  void on_syn(Instant now, const Action& action, Connection& connection);
  std::optional<StreamDelivery> on_chunk(Instant now, const Action& action, Connection& connection);
  void connect(Instant now, NodeId node, const StreamOp& op);
  void pump(Instant now, std::uint64_t number, std::uint8_t side);
  void send_fin(Instant now, std::uint64_t number, std::uint8_t side);
  void release(Side& side);
  void erase_if_over(std::uint64_t number);
  Duration latency(const Side& from, const Side& to) {
    return links_.latency(from.node, to.node, random_);
  }

  Links& links_;
  Random random_;
  Report& report_;
  StreamConditions conditions_;
  std::uint64_t order_ = 0;
  std::uint64_t connections_made_ = 0;
  std::uint32_t accepted_made_ = 0;
  std::vector<Action> actions_;  // a heap, earliest first
  std::map<std::uint64_t, Connection> connections_;
  std::map<Key, std::pair<std::uint64_t, std::uint8_t>> by_id_;
  std::vector<bool> running_;
  std::vector<bool> paused_;
  std::vector<std::vector<Action>> held_;
  std::vector<std::byte> delivered_;
};

}  // namespace starling::sim
