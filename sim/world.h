// The world: production engines on one thread, under a virtual clock, from one seed.
//
// The clock jumps to the next instant at which anything is due: a datagram or stream event arrives,
// a lane wants to be polled, something on the agenda happens. Everything due is delivered, then the
// nodes concerned are polled in an order drawn from the seed, and every event they report goes to
// the checkers and into the trace. Owned by a test, a campaign or a probe; one thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sim/checkers.h"
#include "sim/host.h"
#include "sim/links.h"
#include "sim/network.h"
#include "sim/streams.h"
#include "sim/trace.h"

namespace starling::sim {

struct WorldOptions {
  std::uint64_t seed = 1;
  std::size_t nodes = 5;
  SwimOptions swim;
  SerfOptions serf;
  LatencyModel latency;
  bool encrypted = false;
  bool compress = true;
  std::string label;
  std::uint32_t lanes = 1;  // of every node
  // A node that is started again is told the incarnation that its last process reported, as an
  // agent with a snapshot would be. Known as of the last stats.
  bool remember_incarnations = false;
  // A started node joins one of the first `contacts` nodes and tries the next until one answers.
  std::size_t contacts = 3;
  Duration join_again_after = std::chrono::seconds(1);
  Duration stats_interval = std::chrono::seconds(2);  // zero: nobody asks
};

class World : private HostOutlet {
 public:
  using EventHook = std::function<void(Instant now, NodeId node, const Event& event)>;

  explicit World(const WorldOptions& options, TraceSink sink = {});
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  const WorldOptions& options() const { return options_; }
  Instant now() const { return now_; }
  Instant start_of_time() const { return start_; }
  std::vector<NodeId> all_nodes() const;

  // Processes. Each call is void on a node that is not in the fitting state.
  void start(NodeId node);
  void stop(NodeId node, bool dark);  // dark: the whole machine, without a word
  void pause(NodeId node);            // nests
  void resume(NodeId node);

  bool running(NodeId node) const { return hosts_[index_of(node)]->running(); }
  bool paused(NodeId node) const { return hosts_[index_of(node)]->paused(); }
  bool leaving(NodeId node) const { return lives_[index_of(node)].leaving; }
  bool joined(NodeId node) const { return lives_[index_of(node)].joined; }
  std::uint32_t life(NodeId node) const { return lives_[index_of(node)].number; }

  // Users. False when the node is not running or its ring is full.
  bool leave(NodeId node);
  bool force_leave(NodeId node, NodeId other);
  bool set_meta(NodeId node);  // to a metadata that it never had
  bool send_user_event(NodeId node, std::string_view name, std::string_view payload);
  bool command(NodeId node, Command command);  // sets the token
  std::uint64_t last_token() const { return tokens_; }

  // Runs `action` when the clock gets there; actions of one instant in the order they were given.
  void at_instant(Instant when, std::function<void()> action);

  // Runs until `end`, or until `done` holds after a step; true when it held.
  bool run_until(Instant end, const std::function<bool()>& done = {});

  Links& links() { return links_; }
  Network& network() { return network_; }
  Streams& streams() { return streams_; }
  Checkers& checkers() { return checkers_; }
  const Checkers& checkers() const { return checkers_; }
  Report& report() { return report_; }
  Trace& trace() { return trace_; }
  void set_event_hook(EventHook hook) { hook_ = std::move(hook); }
  // Grows whenever a node may have changed its view of another: a cheap way to see that none has.
  std::uint64_t views_changed() const { return views_changed_; }

 private:
  // What the world remembers of a node from one process to the next.
  struct Life {
    std::uint32_t number = 0;
    std::uint32_t meta_version = 0;
    std::uint32_t incarnation = 0;  // the highest reported
    bool leaving = false;
    bool joined = false;
    std::uint64_t join_token = 0;
    NodeId join_contact{};  // whom the last attempt went to
    std::size_t join_attempts = 0;
  };
  struct Appointment {
    Instant at;
    std::uint64_t order;
    std::function<void()> action;
  };
  static bool later(const Appointment& a, const Appointment& b) {
    return a.at != b.at ? a.at > b.at : a.order > b.order;
  }

  void on_packet(NodeId from, const Endpoint& to, Bytes bytes) override;
  void on_stream_ops(NodeId from, std::span<const StreamOp> ops) override;
  void on_event(NodeId from, const Event& event) override;

  EngineOptions engine_options(NodeId node) const;
  std::string meta_of(NodeId node) const;
  Instant next_due() const;
  void step();
  void keep_appointments();
  void deliver();
  void poll_ready();
  void try_join(NodeId node, std::uint32_t life);
  void on_join_done(NodeId node, CommandResult result);
  void on_members_changed(NodeId node);
  void ask_stats(NodeId node, std::uint32_t life);

  WorldOptions options_;
  Instant start_;
  Instant now_;
  Report report_;
  Random polling_;
  Random joining_;
  Links links_;
  Network network_;
  Streams streams_;
  std::vector<Life> lives_;
  Checkers checkers_;
  Trace trace_;
  std::vector<std::unique_ptr<Host>> hosts_;
  EventHook hook_;
  std::uint64_t order_ = 0;
  std::uint64_t tokens_ = 0;
  std::uint64_t views_changed_ = 0;
  std::vector<Appointment> agenda_;  // a heap, earliest first
  std::vector<NodeId> ready_;
};

}  // namespace starling::sim
