// The agent: everything put together, from configuration to exit status.
//
// protocol/serf section 16. One object for the life of the process. Its thread is the control
// thread: it runs the loop and owns everything but the lane, which a thread of EngineHost drives.
#pragma once

#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "agent/config.h"
#include "agent/engine_host.h"
#include "agent/event_handlers.h"
#include "agent/event_loop.h"
#include "agent/event_pipeline.h"
#include "agent/hosting.h"
#include "agent/joiner.h"
#include "agent/key_manager.h"
#include "agent/log.h"
#include "agent/log_limiter.h"
#include "agent/mdns.h"
#include "agent/member_history.h"
#include "agent/members_mirror.h"
#include "agent/meter.h"
#include "agent/metrics.h"
#include "agent/name_vote.h"
#include "agent/node_addresses.h"
#include "agent/query_desk.h"
#include "agent/resolver.h"
#include "agent/retry_join.h"
#include "agent/rpc_server.h"
#include "agent/signals.h"
#include "agent/snapshot/rejoin.h"
#include "agent/snapshot/snapshot.h"
#include "agent/stats_sink.h"
#include "agent/syslog.h"
#include "agent/trace_log.h"

namespace starling::agent {

class Agent {
 public:
  // `arguments` are read again on SIGHUP. `out` is the console; lines are flushed one by one.
  Agent(LoadedConfig loaded, std::vector<std::string> arguments, std::ostream& out);
  ~Agent();
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  // Starts, runs until told to stop, and shuts down; the exit status.
  int run();

 private:
  using Done = std::function<void(const std::string& error)>;

  // Console lines with Serf's prefixes.
  void say(std::string_view text);   // "==> "
  void info(std::string_view text);  // four spaces
  void info(std::string_view label, std::string_view value);

  // Start-up, in this order. False: it has been said what is wrong.
  bool set_up();
  bool start_syslog();
  void start_metrics();
  bool start_mdns();
  bool start_engine();
  std::expected<void, std::string> open_snapshot();
  void start_snapshot();
  bool start_rpc();
  void introduce();
  bool start_join();
  std::expected<EngineOptions, std::string> engine_options(const Endpoint& advertise) const;
  std::optional<std::string> add_hosted(EngineOptions& options) const;
  Duration broadcast_timeout() const;
  RpcBackend make_backend();
  void change_own_keys(KeyChange change, const AesKey& key, Done done);

  // What RPC clients and signals ask for.
  void leave(Done done);
  void force_leave(const ForceLeaveRequest& request, Done done);
  void user_event(const EventRequest& request, Done done);
  void change_tags(const TagsRequest& request, Done done);
  void set_tags(Tags tags, Done done);
  void stats(std::function<void(const Stats&)> done);
  void coordinate(const CoordinateRequest& request, RpcBackend::CoordinateDone done);
  void explain_member(const ExplainRequest& request, RpcBackend::ExplainDone done);
  QueryTicket query(const QueryRequest& request, QueryCallbacks callbacks, Done done);

  // What comes from the engine.
  void on_engine_event(const Event& event);
  void on_member(const Event& event);
  void on_query(SeenQuery query);
  void on_trace(const Event& event);
  void count_query(std::string_view name);
  bool may_log(std::string_view kind, unsigned lines_per_second);
  void log_sums();
  void publish(const HandlerEvent& event, bool coalesce);
  void measure();  // every second, what nothing else reports
  void on_report(const HandlerReport& report);

  void on_signal(int signal);
  void leave_for_signal();
  void reload();
  void take_over(const Config& fresh);
  void stop_with(int status);
  void shut_down();

  std::ostream& out_;
  std::vector<std::string> arguments_;
  Config config_;
  std::vector<std::string> warnings_;

  Signals signals_;
  EventLoop loop_;
  Log log_;
  LogLimiter log_limiter_;
  std::optional<Syslog> syslog_;
  Metrics metrics_;
  Meter meter_{metrics_};
  MembersMirror members_;
  MemberHistory history_;
  Tags tags_;
  std::vector<HostedSpec> hosted_at_start_;
  Keyring keyring_;
  std::vector<EventScript> scripts_;  // as started, for stats
  NodeAddresses addresses_;
  Endpoint advertise_;
  std::string io_reason_;

  std::unique_ptr<EventHandlers> handlers_;
  std::unique_ptr<EventPipeline> pipeline_;
  std::unique_ptr<EngineHost> engine_;
  std::unique_ptr<QueryDesk> desk_;
  std::unique_ptr<NameVote> name_vote_;
  std::unique_ptr<KeyManager> key_manager_;
  std::unique_ptr<Resolver> resolver_;
  std::vector<std::unique_ptr<StatsSink>> sinks_;
  std::unique_ptr<Joiner> joiner_;
  std::unique_ptr<Hosting> hosting_;
  std::unique_ptr<RetryJoin> retry_join_;
  std::unique_ptr<Snapshot> snapshot_;  // if there is one
  std::unique_ptr<Rejoin> rejoin_;
  std::unique_ptr<Mdns> mdns_;
  RpcBackend backend_;
  std::unique_ptr<RpcServer> rpc_;

  bool left_ = false;
  bool numbers_asked_ = false;  // for the snapshot
  bool measuring_ = false;      // the engine has been asked
  bool leaving_for_signal_ = false;
  bool stopping_ = false;
  int status_ = 0;
};

}  // namespace starling::agent
