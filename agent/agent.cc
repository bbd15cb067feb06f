#include "agent/agent.h"

#include <array>
#include <csignal>
#include <cstdio>
#include <random>
#include <thread>

#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agent/addresses.h"
#include "agent/command_error.h"
#include "agent/config_changes.h"
#include "agent/explain.h"
#include "agent/go_text.h"
#include "agent/keyring_file.h"
#include "agent/lane_choice.h"
#include "agent/tag_text.h"
#include "agent/tags_file.h"
#include "agent/version.h"
#include "core/engine/memory_budget.h"
#include "io/address.h"
#include "io/open.h"

namespace starling::agent {
namespace {

constexpr Duration graceful_leave_max = std::chrono::seconds(3);
// Gossip carries some 150 leaves a second to each of three peers (1400 bytes every 200 ms), and in
// a cluster of thousands each goes out 16 times: 16 / 450 of a second for each member.
constexpr Duration broadcast_per_hosted = std::chrono::milliseconds(40);
// How long a shutdown waits for handlers of the last events to be run.
constexpr Duration last_handlers_max = std::chrono::seconds(1);
constexpr std::size_t suspicions_shown_max = 32;
// How soon the log says how much was left out of it.
constexpr Duration sums_interval = std::chrono::seconds(1);

std::string machine_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  return name.data();
}

// Resident memory; 0 where the system does not tell.
std::uint64_t random_seed() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32) | device();
}

std::vector<EventScript> scripts_of(const std::vector<std::string>& handlers) {
  std::vector<EventScript> scripts;
  for (const std::string& handler : handlers) {
    // Checked when the configuration was loaded.
    for (EventScript& script : parse_event_script(handler).value_or(std::vector<EventScript>{})) {
      scripts.push_back(std::move(script));
    }
  }
  return scripts;
}

// As Serf's log names an event.
std::string event_text(const HandlerEvent& event) {
  switch (event.kind) {
    case HandlerEvent::Kind::user:
      return "user-event: " + event.name;
    case HandlerEvent::Kind::query:
      return "query: " + event.name;
    case HandlerEvent::Kind::member:
      break;
  }
  return std::string(event.kind_text());
}

}  // namespace

Agent::Agent(LoadedConfig loaded, std::vector<std::string> arguments, std::ostream& out)
    : out_(out),
      arguments_(std::move(arguments)),
      config_(std::move(loaded.config)),
      warnings_(std::move(loaded.warnings)),
      log_(log_level_from(config_.log_level).value_or(LogLevel::info),
           [this](std::string_view line) { info(line); }),
      log_limiter_([this] { loop_.after(sums_interval, [this] { log_sums(); }); }),
      members_(static_cast<std::uint32_t>(config_.members_max)) {
  log_.limit_by(&log_limiter_);
}

Agent::~Agent() = default;

void Agent::say(std::string_view text) {
  out_ << (text.empty() ? "" : "==> ") << text << "\n" << std::flush;
}

void Agent::info(std::string_view text) {
  out_ << "    " << text << "\n" << std::flush;
}

void Agent::info(std::string_view label, std::string_view value) {
  info(fmt::format("{:>27}: {}", label, value));
}

int Agent::run() {
  for (const std::string& warning : warnings_) say(warning);
  const std::vector<InterfaceAddress> interfaces = interface_addresses();
  auto addresses = node_addresses(config_, interfaces);
  if (!addresses) {
    say(addresses.error());
    return 1;
  }
  addresses_ = std::move(*addresses);
  if (!addresses_.note.empty()) say(addresses_.note);

  loop_.watch(signals_.descriptor(), POLLIN, [this](short) {
    while (const auto signal = signals_.take()) on_signal(*signal);
  });
  if (!start_syslog()) return 1;
  say("Starting starling agent...");
  if (!set_up() || !start_engine()) return 1;
  if (!start_mdns()) {
    shut_down();
    return 1;
  }
  say("Starting starling agent RPC...");
  if (!start_rpc()) {
    shut_down();
    return 1;
  }
  introduce();
  if (!start_join()) {
    shut_down();
    return stopping_ ? status_ : 1;
  }
  say("");
  say("Log data will now stream in as it occurs:");
  say("");
  log_.open_gate();
  if (!config_.retry_join.empty()) {
    retry_join_ = std::make_unique<RetryJoin>(
        loop_, log_,
        [this](std::vector<std::string> targets, bool replay, RetryJoin::Done done) {
          joiner_->join(std::move(targets), replay, std::move(done));
        },
        RetryJoin::Options{.targets = config_.retry_join,
                           .replay = config_.replay_on_join,
                           .interval = config_.retry_interval,
                           .tries_max = config_.retry_max_attempts,
                           .seed = random_seed()},
        [this] { stop_with(1); });
    retry_join_->start();
  }
  loop_.run();
  shut_down();
  return status_;
}

bool Agent::set_up() {
  const auto failed = [&](const std::string& why) {
    say("Failed to setup the starling agent: " + why);
    return false;
  };
  tags_ = config_.tags;
  if (!config_.tags_file.empty()) {
    if (!config_.tags.empty()) return failed("Tags config not allowed while using tag files");
    auto tags = read_tags_file(config_.tags_file);
    if (!tags) return failed(tags.error());
    tags_ = std::move(*tags);
  }
  if (!config_.keyring_file.empty()) {
    auto keyring = read_keyring_file(config_.keyring_file);
    if (!keyring) return failed(keyring.error());
    keyring_ = *keyring;
  }
  if (!config_.host_members.empty()) {
    auto hosted = read_hosted_members(config_.host_members);
    if (!hosted) return failed("host_members: " + hosted.error());
    hosted_at_start_ = std::move(*hosted);
    for (const HostedSpec& member : hosted_at_start_) {
      if (!config_.validate_node_names) break;
      if (auto problem = node_name_problem(member.name)) return failed(*problem);
    }
  }
  return true;
}

bool Agent::start_syslog() {
  if (!config_.syslog) return true;
  auto opened = Syslog::open(config_.syslog_facility);
  if (!opened) {
    say("Syslog setup failed: " + opened.error());
    return false;
  }
  syslog_ = std::move(*opened);
  log_.listen([this](const LogLine& line) {
    if (line.level >= log_.threshold()) syslog_->write(line);
  });
  return true;
}

void Agent::start_metrics() {
  const auto add = [this](StatsSink::Kind kind, const std::string& address) {
    if (address.empty()) return;
    sinks_.push_back(std::make_unique<StatsSink>(
        loop_, *resolver_, log_, StatsSink::Options{.kind = kind, .address = address}));
    metrics_.add_sink([sink = sinks_.back().get()](std::string_view line) { sink->add(line); },
                      machine_name());
  };
  add(StatsSink::Kind::statsite, config_.statsite_addr);
  add(StatsSink::Kind::statsd, config_.statsd_addr);
  loop_.after(Meter::interval, [this] { measure(); });
}

bool Agent::start_mdns() {
  if (config_.discover.empty()) return true;
  const std::string& interface =
      config_.mdns.interface.empty() ? config_.interface : config_.mdns.interface;
  auto started = Mdns::start(
      loop_, log_,
      [this](std::vector<std::string> places) {
        joiner_->join(
            std::move(places), config_.replay_on_join,
            [this](std::size_t count, const std::string& error) {
              if (error.empty())
                return log_.told("mdns-join").info("agent.mdns: Joined {} hosts", count);
              log_.refused("mdns-join-failed").err("agent.mdns: Failed to join: {}", error);
            });
      },
      {.instance = {.service = mdns_service(config_.discover),
                    .instance = config_.node_name,
                    .host = machine_name() + ".",
                    .address = io::unmapped(advertise_.address),
                    .port = advertise_.port,
                    .text = fmt::format("Serf '{}' cluster", config_.discover)},
       .interface = interface,
       .ipv4 = !config_.mdns.disable_ipv4,
       .ipv6 = !config_.mdns.disable_ipv6,
       .seed = random_seed()});
  if (!started) {
    say("Error starting mDNS listener: " + started.error());
    return false;
  }
  mdns_ = std::move(*started);
  return true;
}

std::optional<std::string> Agent::add_hosted(EngineOptions& options) const {
  const std::size_t count = hosted_at_start_.size() + 1;  // with the own
  const std::size_t hosted_max =
      config_.hosted_max > 0 ? static_cast<std::size_t>(config_.hosted_max)
                             : std::max(options.capacity.hosted_max + std::size_t{0}, 2 * count);
  const auto too_many = [&](std::string_view bound, std::size_t room) {
    return fmt::format("{} is {}: too few for {} hosted members and the agent's own", bound, room,
                       count - 1);
  };
  if (count > hosted_max) return too_many("hosted_max", hosted_max);
  if (count > options.capacity.members_max) {
    return too_many("members_max", options.capacity.members_max);
  }
  options.capacity.hosted_max =
      static_cast<std::uint32_t>(std::min(hosted_max, hosted_members_max + 1));
  auto hosted = hosted_options(hosted_at_start_, {.own_name = options.name,
                                                  .own_advertise = options.advertise,
                                                  .protocol = options.versions.delegate_current});
  if (!hosted) return hosted.error();
  options.hosted = std::move(*hosted);
  return std::nullopt;
}

std::expected<EngineOptions, std::string> Agent::engine_options(const Endpoint& advertise) const {
  if (config_.protocol < serf_protocol_min || config_.protocol > serf_protocol_max) {
    return std::unexpected(fmt::format("Protocol version '{}' too {}. Must be in range: [{}, {}]",
                                       config_.protocol,
                                       config_.protocol < serf_protocol_min ? "low" : "high",
                                       serf_protocol_min, serf_protocol_max));
  }
  if (config_.user_event_size_limit > 9216) {
    return std::unexpected("user event size limit exceeds limit of 9216 bytes");
  }
  EngineOptions options;
  options.name = config_.node_name;
  options.advertise = advertise;
  options.bind_port_or_zero = addresses_.bind.port;
  options.seed = random_seed();
  options.versions.delegate_current = static_cast<std::uint8_t>(config_.protocol);
  options.compress = config_.compression;
  options.keyring = keyring_;
  if (!config_.encrypt_key.empty()) {
    const auto key = decode_key(config_.encrypt_key);
    if (!key) return std::unexpected(key.error());
    static_cast<void>(options.keyring.add(*key));
  }
  options.lanes = lane_count(config_.lanes, io::LaneGroup::cores()).value_or(1);
  options.swim = SwimOptions::of(*profile_from(config_.profile));
  options.capacity.members_max = static_cast<std::uint32_t>(config_.members_max);
  options.serf.broadcast_timeout = broadcast_timeout();
  options.serf.reconnect_interval = config_.reconnect_interval;
  options.serf.reconnect_timeout = config_.reconnect_timeout;
  options.serf.tombstone_timeout = config_.tombstone_timeout;
  options.serf.coordinates = !config_.disable_coordinates;
  options.capacity.coordinates_max = static_cast<std::uint32_t>(config_.coordinates_max);
  if (snapshot_) {
    const Recovered& earlier = snapshot_->recovered();
    options.serf.member_clock = LamportTime{earlier.clock};
    options.serf.event_clock = LamportTime{earlier.event_clock};
    options.serf.query_clock = LamportTime{earlier.query_clock};
    // What was seen then is not shown again.
    options.serf.event_minimum = LamportTime{earlier.event_clock + 1};
    options.serf.query_minimum = LamportTime{earlier.query_clock + 1};
    options.earlier_incarnation = Incarnation{earlier.incarnation};
  }
  options.serf.query_bytes_max = static_cast<std::size_t>(config_.query_size_limit);
  options.serf.query_response_bytes_max =
      static_cast<std::size_t>(config_.query_response_size_limit);
  options.serf.user_event_bytes_max = static_cast<std::size_t>(config_.user_event_size_limit);

  auto meta = metadata_of(tags_, options.versions.delegate_current);
  if (!meta) return std::unexpected(meta.error());
  options.meta = std::move(*meta);
  if (auto problem = add_hosted(options)) return std::unexpected(*problem);
  return options;
}

// As configured, or longer if there is much to say; it is only a limit.
Duration Agent::broadcast_timeout() const {
  const std::size_t hosted = hosting_ ? hosting_->size() : hosted_at_start_.size();
  return std::max(config_.broadcast_timeout,
                  static_cast<std::int64_t>(hosted) * broadcast_per_hosted);
}

bool Agent::start_engine() {
  const auto failed = [&](const std::string& why) {
    say("Failed to start the starling agent: " + why);
    return false;
  };
  // Looked at before anything is opened, so that a wrong option is not hidden by a busy port.
  const auto checked = engine_options(addresses_.bind);
  if (!checked) return failed(checked.error());
  auto opened = io::open_lane_ports({.bind = addresses_.bind,
                                     .choice = *io::port_choice_from(config_.io),
                                     .lanes = checked->lanes,
                                     .dpdk_arguments = config_.dpdk_args,
                                     .packet_room_bytes = checked->packet_room_bytes(),
                                     .streams_max = checked->capacity.streams_max});
  if (!opened) return failed(opened.error());
  io_reason_ = opened->front().reason;
  if (checked->lanes > 1) io_reason_ += fmt::format(", {} lanes", checked->lanes);
  addresses_.bind = opened->front().ports->bound();
  const auto advertise = advertised(addresses_, addresses_.bind, interface_addresses());
  if (!advertise) return failed(advertise.error());
  advertise_ = *advertise;
  if (const auto snapshot = open_snapshot(); !snapshot) return failed(snapshot.error());
  const auto options = engine_options(advertise_);
  if (!options) return failed(options.error());

  log_.info("agent: starling agent starting");
  scripts_ = scripts_of(config_.event_handlers);
  EventHandlers::Options handler_options;
  handler_options.limits.time_limit = config_.event_handler_timeout;
  handler_options.on_report = [this](const HandlerReport& report) {
    loop_.post([this, report] { on_report(report); });
  };
  handler_options.on_slow = [this](const std::string& command) {
    loop_.post([this, command] {
      log_.refused("script-slow").warn("agent: Script '{}' slow, execution exceeding 1s", command);
    });
  };
  handlers_ = std::make_unique<EventHandlers>(std::move(handler_options));
  handlers_->set_scripts(scripts_);
  pipeline_ = std::make_unique<EventPipeline>(
      loop_, [this](const HandlerEvent& event, bool coalesce) { publish(event, coalesce); },
      EventPipeline::Limits{});
  std::vector<std::unique_ptr<io::Ports>> ports;
  for (io::Opened& each : *opened) ports.push_back(std::move(each.ports));
  auto engine = EngineHost::start(
      *options, std::move(ports), loop_, [this](const Event& event) { on_engine_event(event); },
      {.pin = options->lanes > 1, .run = {.spin = *wait_mode_from(config_.wait)}});
  if (!engine) return failed(engine.error());
  engine_ = std::move(*engine);
  desk_ = std::make_unique<QueryDesk>(
      *engine_, members_, log_,
      QueryDesk::Options{.own_name = config_.node_name,
                         .protocol = config_.protocol,
                         .query_bytes_max = options->serf.query_bytes_max,
                         .response_bytes_max = options->serf.query_response_bytes_max,
                         .hosted = [this] { return hosting_->names(); }},
      [this](SeenQuery query) { on_query(std::move(query)); });
  name_vote_ = std::make_unique<NameVote>(
      *desk_, members_, log_,
      NameVote::Options{.own_name = config_.node_name,
                        .own = advertise_,
                        .enabled = !config_.disable_name_resolution,
                        .hosts = [this](std::string_view name) { return hosting_->hosts(name); }},
      [this](const std::string& name) {
        if (name == config_.node_name) return stop_with(0);
        hosting_->abandon(name);
      });
  key_manager_ = std::make_unique<KeyManager>(
      *desk_, members_, log_,
      [this](KeyChange change, const AesKey& key, Done done) {
        change_own_keys(change, key, std::move(done));
      },
      KeyManager::Options{.own_name = config_.node_name,
                          .keyring = options->keyring,
                          .keyring_file = config_.keyring_file,
                          .response_bytes_max = options->serf.query_response_bytes_max});
  resolver_ = std::make_unique<Resolver>(loop_);
  start_metrics();
  joiner_ = std::make_unique<Joiner>(*engine_, *resolver_, log_, addresses_.bind.port);
  hosting_ = std::make_unique<Hosting>(
      *engine_, log_,
      Hosting::Options{.own_name = config_.node_name,
                       .own_advertise = advertise_,
                       .protocol = static_cast<std::uint8_t>(config_.protocol)},
      std::exchange(hosted_at_start_, {}));
  start_snapshot();
  return true;
}

std::expected<void, std::string> Agent::open_snapshot() {
  if (config_.snapshot_path.empty()) return {};
  Snapshot::Options options;
  options.path = config_.snapshot_path;
  options.recovery.rejoin_after_leave = config_.rejoin_after_leave;
  options.recovery.names_max =
      std::max(std::size_t{1} << 16, 2 * static_cast<std::size_t>(config_.members_max));
  options.recovery.seed = random_seed();
  auto snapshot = Snapshot::open(loop_, log_, members_, options);
  if (!snapshot) return std::unexpected(snapshot.error());
  snapshot_ = std::move(*snapshot);
  return {};
}

void Agent::start_snapshot() {
  if (!snapshot_) return;
  snapshot_->start([this] {
    if (std::exchange(numbers_asked_, true)) return;
    OwnedCommand command;
    command.command.kind = Command::Kind::stats;
    engine_->send(std::move(command), [this](const Event& answer) {
      numbers_asked_ = false;
      if (answer.kind != Event::Kind::stats) return;  // too many ask
      const starling::Stats& stats = answer.stats;
      snapshot_->on_numbers({.member_time = stats.member_time,
                             .event_time = stats.event_time,
                             .query_time = stats.query_time,
                             .incarnation = stats.incarnation_max,
                             .members_alive = stats.members_alive});
    });
  });
  rejoin_ = std::make_unique<Rejoin>(*engine_, log_);
  rejoin_->start(snapshot_->recovered().nodes, {config_.node_name, format_endpoint(advertise_)},
                 [this](bool reached) {
                   if (reached) snapshot_->on_rejoined();
                 });
}

RpcBackend Agent::make_backend() {
  RpcBackend backend;
  backend.auth_token = config_.rpc_auth;
  backend.log = &log_;
  backend.limiter = &log_limiter_;
  backend.request_bytes_max = static_cast<std::size_t>(config_.rpc_request_size_limit);
  backend.members = &members_;
  backend.event = [this](const EventRequest& request, Done done) {
    user_event(request, std::move(done));
  };
  backend.force_leave = [this](const ForceLeaveRequest& request, Done done) {
    force_leave(request, std::move(done));
  };
  backend.join = [this](const JoinRequest& request, Joiner::Done done) {
    joiner_->join(request.existing, request.replay, std::move(done));
  };
  backend.tags = [this](const TagsRequest& request, Done done) {
    change_tags(request, std::move(done));
  };
  backend.change_keys = [this](KeyChange change, const std::string& key,
                               RpcBackend::KeysDone done) {
    key_manager_->change(change, key, std::move(done));
  };
  backend.list_keys = [this](RpcBackend::KeysDone done) { key_manager_->list(std::move(done)); };
  backend.count = [this](std::string_view metric) { metrics_.count(metric); };
  backend.host_member = [this](const HostMemberRequest& request, Done done) {
    const auto problem =
        config_.validate_node_names ? node_name_problem(request.name) : std::nullopt;
    if (problem) return done(*problem);
    hosting_->host(request, std::move(done));
  };
  backend.unhost_member = [this](const UnhostMemberRequest& request, Done done) {
    hosting_->unhost(request, std::move(done));
  };
  backend.member_tags = [this](const MemberTagsRequest& request, Done done) {
    if (request.member == config_.node_name) {
      return change_tags({.tags = request.tags, .delete_tags = request.delete_tags},
                         std::move(done));
    }
    hosting_->change_tags(request, std::move(done));
  };
  backend.hosts = [this](std::string_view name) { return hosting_->hosts(name); };
  backend.coordinate = [this](const CoordinateRequest& request, RpcBackend::CoordinateDone done) {
    coordinate(request, std::move(done));
  };
  backend.explain = [this](const ExplainRequest& request, RpcBackend::ExplainDone done) {
    explain_member(request, std::move(done));
  };
  backend.query = [this](const QueryRequest& request, QueryCallbacks callbacks, Done done) {
    return query(request, std::move(callbacks), std::move(done));
  };
  backend.forget_query = [this](QueryTicket ticket) { desk_->forget(ticket); };
  backend.respond = [this](std::uint64_t query, std::string payload, Done done) {
    desk_->respond(query, std::move(payload), std::move(done));
  };
  backend.stats = [this](std::function<void(const Stats&)> done) { stats(std::move(done)); };
  backend.leave = [this](Done done) {
    leave([this, done = std::move(done)](const std::string& error) {
      if (!error.empty()) log_.refused("leave-failed").err("agent.ipc: leave failed: {}", error);
      done(error);
      stop_with(0);
    });
  };
  return backend;
}

void Agent::change_own_keys(KeyChange change, const AesKey& key, Done done) {
  OwnedCommand command;
  switch (change) {
    case KeyChange::install:
      command.command.kind = Command::Kind::install_key;
      break;
    case KeyChange::use:
      command.command.kind = Command::Kind::use_key;
      break;
    case KeyChange::remove:
      command.command.kind = Command::Kind::remove_key;
      break;
  }
  command.payload = as_text(key.bytes());
  engine_->send(std::move(command), [done = std::move(done)](const Event& answer) {
    done(command_error(answer, "timed out changing the keyring"));
  });
}

bool Agent::start_rpc() {
  backend_ = make_backend();
  auto server = RpcServer::listen(config_.rpc_addr, loop_, backend_,
                                  {.clients_max = static_cast<std::size_t>(config_.rpc_clients_max),
                                   .handshake_timeout = config_.rpc_handshake_timeout,
                                   .request_timeout = config_.rpc_request_timeout,
                                   .stall_timeout = config_.rpc_stall_timeout});
  if (!server) {
    say("Error starting RPC listener: " + server.error());
    return false;
  }
  rpc_ = std::move(*server);
  return true;
}

void Agent::introduce() {
  const auto quoted = [](std::string_view text) { return fmt::format("'{}'", text); };
  const auto truth = [](bool value) { return value ? "true" : "false"; };
  say("starling agent running!");
  info("Node name", quoted(config_.node_name));
  info("Bind addr", quoted(format_endpoint(addresses_.bind)));
  if (addresses_.advertise) {
    info("Advertise addr: " + quoted(format_endpoint(*addresses_.advertise)));
  }
  const bool chosen = config_.rpc_addr.ends_with(":0");
  info("RPC addr", quoted(chosen ? format_endpoint(rpc_->bound()) : config_.rpc_addr));
  info("Encrypted", truth(!config_.encrypt_key.empty() || !keyring_.empty()));
  info("Snapshot", truth(snapshot_ != nullptr));
  info("Profile", config_.profile);
  info("Message Compression Enabled", truth(config_.compression));
  if (!config_.discover.empty()) info("mDNS cluster", config_.discover);
  if (const auto options = engine_options(addresses_.bind)) {
    const MemoryBudget budget = budget_of(*options);
    info("Memory", fmt::format("{} members max, {} MB reserved for rows, {} B a member",
                               options->capacity.members_max,
                               budget.row_bytes_reserved() / 1'000'000, budget.member_bytes()));
  }
  const std::size_t colon = io_reason_.find(": ");
  info("IO",
       fmt::format(
           "'{}'{}", io_reason_.substr(0, colon),
           colon == std::string::npos ? "" : fmt::format(" ({})", io_reason_.substr(colon + 2))));
  if (hosting_->size() > 0) info("Hosted members", std::to_string(hosting_->size()));
}

bool Agent::start_join() {
  if (config_.start_join.empty()) return true;
  say(fmt::format("Joining cluster...(replay: {})", config_.replay_on_join));
  bool done = false;
  std::size_t reached = 0;
  std::string problem;
  joiner_->join(config_.start_join, config_.replay_on_join,
                [&](std::size_t count, const std::string& error) {
                  done = true;
                  reached = count;
                  problem = error;
                });
  while (!done && !stopping_) loop_.turn(std::chrono::seconds(1));
  if (!done) return false;
  if (!problem.empty()) {
    say(problem);
    return false;
  }
  info(fmt::format("Join completed. Synced with {} initial agents", reached));
  return true;
}

void Agent::leave(Done done) {
  log_.told("leave").info("agent: requesting graceful leave from Serf");
  if (snapshot_) snapshot_->leave();
  OwnedCommand command;
  command.command.kind = Command::Kind::leave;
  engine_->send(std::move(command), [this, done = std::move(done)](const Event& answer) {
    const std::string error = command_error(answer, "timeout while waiting for graceful leave");
    left_ = left_ || error.empty();
    done(error);
  });
}

void Agent::force_leave(const ForceLeaveRequest& request, Done done) {
  log_.told("force-leave").info("agent: Force leaving node: {}", request.node);
  OwnedCommand command;
  command.command.kind = Command::Kind::force_leave;
  command.command.prune = request.prune;
  command.name = request.node;
  engine_->send(std::move(command), [done = std::move(done)](const Event& answer) {
    done(command_error(answer, "timed out broadcasting node removal"));
  });
}

void Agent::user_event(const EventRequest& request, Done done) {
  const std::string payload = request.payload.value_or("");
  log_.told("event-request")
      .debug("agent: Requesting user event send: {}. Coalesced: {}. Payload: {}", request.name,
             request.coalesce, go_quote(payload));
  // No event may be larger, so the ring need not carry what would be refused anyway.
  if (request.name.size() + payload.size() > 9216) {
    const bool configured = config_.user_event_size_limit <= 9216;
    return done(configured
                    ? fmt::format("user event exceeds configured limit of {} bytes before encoding",
                                  config_.user_event_size_limit)
                    : "user event exceeds sane limit of 9216 bytes before encoding");
  }
  OwnedCommand command;
  command.command.kind = Command::Kind::user_event;
  command.command.coalesce = request.coalesce;
  command.name = request.name;
  command.payload = payload;
  engine_->send(std::move(command), [done = std::move(done)](const Event& answer) {
    done(command_error(answer, "timed out broadcasting event"));
  });
}

QueryTicket Agent::query(const QueryRequest& request, QueryCallbacks callbacks, Done done) {
  QueryParams params{.name = request.name,
                     .payload = request.payload.value_or(""),
                     .nodes = request.nodes,
                     .tags = request.tags.value_or(Tags{}),
                     .timeout = Duration(request.timeout_ns),
                     .want_acks = request.want_acks,
                     .relay_factor = static_cast<std::uint8_t>(request.relay_factor)};
  if (const std::string problem = problem_with_name(params); !problem.empty()) {
    done(problem);
    return 0;
  }
  log_.told("query-request")
      .debug("agent: Requesting query send: {}. Payload: {}", params.name,
             go_quote(params.payload));
  return desk_->ask(
      std::move(params), std::move(callbacks),
      [this, done = std::move(done)](const std::string& error) {
        if (!error.empty())
          log_.refused("query-request-failed").warn("agent: failed to start user query: {}", error);
        done(error);
      });
}

void Agent::change_tags(const TagsRequest& request, Done done) {
  Tags tags = tags_;
  for (const std::string& key : request.delete_tags) tags.erase(key);
  for (const auto& [key, value] : request.tags) tags[key] = value;
  set_tags(std::move(tags), std::move(done));
}

void Agent::set_tags(Tags tags, Done done) {
  auto meta = metadata_of(tags, static_cast<std::uint8_t>(config_.protocol));
  if (!meta) return done(meta.error());
  if (!config_.tags_file.empty()) {
    if (const auto written = write_tags_file(config_.tags_file, tags); !written) {
      log_.refused("tags-file").err("agent: {}", written.error());
      return done(written.error());
    }
  }
  tags_ = std::move(tags);
  OwnedCommand command;
  command.command.kind = Command::Kind::set_meta;
  command.payload = std::move(*meta);
  engine_->send(std::move(command), [done = std::move(done)](const Event& answer) {
    done(command_error(answer, "timeout waiting for update broadcast"));
  });
}

void Agent::stats(std::function<void(const Stats&)> done) {
  OwnedCommand command;
  command.command.kind = Command::Kind::stats;
  engine_->send(std::move(command), [this, done = std::move(done)](const Event& answer) {
    const starling::Stats& engine = answer.stats;
    const auto text = [](auto number) { return std::to_string(number); };
    const std::string cores = text(std::max(1U, std::thread::hardware_concurrency()));
    Stats stats;
    stats["agent"] = {{"name", config_.node_name}};
    stats["runtime"] = {{"os", "linux"},
                        {"arch", "amd64"},
                        {"version", "starling " + std::string(program_version)},
                        {"max_procs", cores},
                        {"goroutines", "0"},
                        {"cpu_count", cores}};
    stats["serf"] = {{"members", text(engine.members)},
                     {"failed", text(engine.members_failed)},
                     {"left", text(engine.members_left)},
                     {"health_score", text(engine.health_score)},
                     {"member_time", text(engine.member_time)},
                     {"event_time", text(engine.event_time)},
                     {"query_time", text(engine.query_time)},
                     {"intent_queue", text(engine.intent_queue)},
                     {"event_queue", text(engine.event_queue)},
                     {"query_queue", text(engine.query_queue)},
                     {"encrypted", engine.encrypted ? "true" : "false"}};
    if (!config_.disable_coordinates) {
      stats["serf"]["coordinate_resets"] = text(engine.counters.coordinate_resets);
    }
    stats["tags"] = tags_;
    stats["event_handlers"] = {};
    for (const EventScript& script : scripts_) {
      stats["event_handlers"][script.filter.kind + ":" + script.filter.name] = script.command;
    }
    Tags& own = stats["starling"];
    own["io"] = engine_->ports().name();
    own["hosted"] = text(engine.hosted);
    own["incarnation"] = text(engine.incarnation);
    own["leaving"] = text(engine.members_leaving);
    own["membership_queue"] = text(engine.membership_queue);
    own["membership_queue_age_ms"] = text(engine.membership_age_ms);
    own["intent_queue_age_ms"] = text(engine.intent_age_ms);
    own["event_queue_age_ms"] = text(engine.event_age_ms);
    own["query_queue_age_ms"] = text(engine.query_age_ms);
    own["streams"] = text(engine.streams);
    own["suspicions"] = text(engine.suspicions);
    own["rpc_clients"] = text(rpc_->clients());
    own["handler_events_dropped"] = text(handlers_->dropped());
    // A group that is only there while there is something in it, so that groups are Serf's mostly.
    for (const auto& [name, suspicion] : history_.suspicions(suspicions_shown_max)) {
      stats["suspicions"][std::string(name)] =
          fmt::format("{} s, by {}", age_text(EventLoop::now(), suspicion->since),
                      fmt::join(suspicion->accusers, ", "));
    }
#define COUNTER(name, help) own[#name] = text(engine.counters.name);
#include "core/shard/counters.def"
#undef COUNTER
    done(stats);
  });
}

void Agent::coordinate(const CoordinateRequest& request, RpcBackend::CoordinateDone done) {
  OwnedCommand command;
  command.command.kind = Command::Kind::coordinate;
  command.name = request.node;
  engine_->send(std::move(command), [done = std::move(done)](const Event& answer) {
    if (answer.payload.empty()) return done(std::nullopt);
    const auto known = decode_ping_payload(answer.payload);
    done(known ? std::optional(*known) : std::nullopt);
  });
}

void Agent::explain_member(const ExplainRequest& request, RpcBackend::ExplainDone done) {
  // No member's name is longer, so the ring need not carry it.
  if (request.node.size() > 255) return done({}, "node name is too long");
  OwnedCommand command;
  command.command.kind = Command::Kind::explain;
  command.name = request.node;
  engine_->send(std::move(command),
                [this, name = request.node, done = std::move(done)](const Event& answer) {
                  const auto explanation = decode_explanation(answer.payload);
                  if (!explanation)
                    return done({}, command_error(answer, "the engine did not answer"));
                  const auto name_of = [this](NameHash hash) {
                    std::string found;
                    static_cast<void>(members_.list([&](const MemberView& member) {
                      if (found.empty() && hash_name(member.name) == hash) found = member.name;
                      return false;
                    }));
                    return found;
                  };
                  Stats explained = explain(name, *explanation, history_.find(name), name_of);
                  if (explained.empty())
                    return done({}, "no member is known by the name " + go_quote(name));
                  done(explained, "");
                });
}

void Agent::on_engine_event(const Event& event) {
  history_.apply(event);
  switch (event.kind) {
    case Event::Kind::member:
      on_member(event);
      break;
    case Event::Kind::user: {
      if (snapshot_) snapshot_->on_user_event(to_number(event.time));
      HandlerEvent user;
      user.kind = HandlerEvent::Kind::user;
      user.name = event.name;
      user.time = event.time;
      user.payload = as_text(event.payload);
      metrics_.count("serf.events");
      metrics_.count("serf.events." + user.name);
      pipeline_->user(std::move(user), event.coalesce);
      break;
    }
    case Event::Kind::query:
      count_query(event.name);
      if (snapshot_) snapshot_->on_query(to_number(event.time));
      desk_->on_event(event);
      break;
    case Event::Kind::query_ack:
    case Event::Kind::query_response:
    case Event::Kind::query_done:
      desk_->on_event(event);
      break;
    case Event::Kind::conflict:
      name_vote_->on_conflict(event);
      break;
    case Event::Kind::trace:
      on_trace(event);
      break;
    case Event::Kind::done:
    case Event::Kind::stats:
      break;  // answers go to who asked
  }
}

void Agent::on_member(const Event& event) {
  const std::optional<MemberView> before = members_.find(event.name);
  const bool was_failed = before && before->status == MemberStatus::failed;
  const auto line = member_line(event, was_failed);
  if (line && may_log("member-event", LogLimiter::told_lines_max)) {
    log_.write(line->level, line->text);
  }
  members_.apply(event);
  if (snapshot_) snapshot_->on_member(event);
  if (!event.change) return;
  switch (*event.change) {
    case MemberEventKind::join:
      metrics_.count("serf.member.join");
      break;
    case MemberEventKind::leave:
      metrics_.count("serf.member.left");
      break;
    case MemberEventKind::failed:
      metrics_.count("serf.member.failed");
      break;
    case MemberEventKind::update:
      metrics_.count("serf.member.update");
      break;
    case MemberEventKind::reap:
      break;
  }
  pipeline_->member(*event.change, member_of(event));
}

void Agent::measure() {
  loop_.after(Meter::interval, [this] { measure(); });
  meter_.read_process();
  if (snapshot_) meter_.read_snapshot(snapshot_->timings());
  if (std::exchange(measuring_, true)) return;
  OwnedCommand command;
  command.command.kind = Command::Kind::stats;
  engine_->send(std::move(command), [this](const Event& answer) {
    measuring_ = false;
    if (answer.kind == Event::Kind::stats) meter_.read_engine(answer.stats);
  });
}

void Agent::on_query(SeenQuery query) {
  HandlerEvent event;
  event.kind = HandlerEvent::Kind::query;
  event.name = std::move(query.name);
  event.time = query.time;
  event.payload = std::move(query.payload);
  event.query = query.number;
  event.deadline = query.deadline;
  publish(event, false);  // queries are not coalesced
}

// Their sum is the engine's; of names it keeps no list.
void Agent::count_query(std::string_view name) {
  metrics_.count("serf.queries." + std::string(name));
}

void Agent::on_trace(const Event& event) {
  if (event.trace == TraceKind::query_for_others) return count_query(event.name);
  if (!log_limiter_.admit(to_text(event.trace), event.at, lines_per_second(event.trace))) return;
  TraceLine line = trace_line(event, config_.node_name);
  if (event.trace == TraceKind::conflict && event.name == config_.node_name) {
    line.text += fmt::format(" (Resolution enabled: {})", !config_.disable_name_resolution);
  }
  log_.write(line.level, line.text);
}

void Agent::log_sums() {
  log_limiter_.settle([this](std::string_view kind, std::uint64_t lines) {
    log_.warn("agent: {} further lines of the kind '{}' were left out", lines, kind);
  });
}

bool Agent::may_log(std::string_view kind, unsigned lines_per_second) {
  return log_limiter_.admit(kind, EventLoop::now(), lines_per_second);
}

void Agent::publish(const HandlerEvent& event, bool coalesce) {
  if (may_log("event-received", LogLimiter::told_lines_max)) {
    log_.info("agent: Received event: {}", event_text(event));
  }
  if (rpc_) rpc_->publish(event, coalesce);
  if (!handlers_->submit(event, {.name = config_.node_name, .tags = tags_}) &&
      may_log("event-without-handler", LogLimiter::refused_lines_max)) {
    log_.warn("agent: too many events wait for their handlers, dropping {}", event.kind_text());
  }
}

void Agent::on_report(const HandlerReport& report) {
  metrics_.sample("agent.invoke." + report.command,
                  std::chrono::duration<double, std::milli>(report.result.elapsed).count());
  if (report.responds) {
    desk_->respond(report.event->query, report.result.output,
                   [this, event = report.event](const std::string& error) {
                     if (error.empty()) return;
                     log_.refused("respond-failed")
                         .warn("agent: Failed to respond to query '{}': {}", event_text(*event),
                               error);
                   });
  }
  if (report.result.output_bytes > report.result.output.size()) {
    log_.refused("script-output")
        .warn("agent: Script '{}' generated {} bytes of output, truncated to {}", report.command,
              report.result.output_bytes, report.result.output.size());
  }
  log_.told("script-ran")
      .debug("agent: Event '{}' script output: {}", report.event->kind_text(),
             report.result.output);
  if (!report.result.succeeded()) {
    log_.refused("script-failed")
        .err("agent: Error invoking script '{}': {}", report.command, to_text(report.result));
  }
}

void Agent::on_signal(int signal) {
  if (signal == SIGUSR1) {
    // As Serf does: what was measured goes to the standard error.
    const std::string measured = metrics_.dump();
    std::fwrite(measured.data(), 1, measured.size(), stderr);
    if (engine_) {
      stats([this](const Stats& stats) {
        for (const auto& [key, value] : stats.at("starling")) {
          log_.info("agent: counter {} = {}", key, value);
        }
      });
    }
    return;
  }
  say(fmt::format("Caught signal: {}", signal_text(signal)));
  if (leaving_for_signal_) return stop_with(1);
  if (signal == SIGHUP) return reload();
  const bool gracefully =
      signal == SIGINT ? !config_.skip_leave_on_interrupt : config_.leave_on_terminate;
  if (!gracefully || !engine_) return stop_with(1);
  leave_for_signal();
}

void Agent::leave_for_signal() {
  say("Gracefully shutting down agent...");
  leaving_for_signal_ = true;
  // Many members have more to say than one.
  const Duration longer =
      hosting_ && hosting_->size() > 0 ? 2 * broadcast_timeout() : Duration::zero();
  loop_.after(graceful_leave_max + longer, [this] { stop_with(1); });
  leave([this](const std::string& error) {
    if (error.empty()) return stop_with(0);
    log_.err("agent: Error: {}", error);
  });
}

void Agent::reload() {
  say("Reloading configuration...");
  auto loaded = load_config(arguments_, LoadFor::reload);
  if (!loaded) {
    say("Failed to reload configs: " + loaded.error().text);
    return;
  }
  for (const std::string& warning : loaded->warnings) say(warning);
  if (loaded->config.node_name.empty()) loaded->config.node_name = config_.node_name;
  take_over(loaded->config);
}

void Agent::take_over(const Config& fresh) {
  const std::vector<ConfigChange> changes = config_changes(config_, fresh);
  for (const ConfigChange& change : changes) {
    log_.info("agent: Configuration changed: {}", to_text(change));
  }
  if (changes.empty()) log_.info("agent: Configuration is as it was");
  if (const auto level = log_level_from(fresh.log_level)) {
    log_.set_threshold(*level);
    config_.log_level = fresh.log_level;
  } else {
    say("Invalid log level: " + to_upper(fresh.log_level) +
        ". Valid log levels are: [TRACE DEBUG INFO WARN ERR]");
  }
  handlers_->set_scripts(scripts_of(fresh.event_handlers));
  config_.event_handlers = fresh.event_handlers;
  config_.leave_on_terminate = fresh.leave_on_terminate;
  config_.skip_leave_on_interrupt = fresh.skip_leave_on_interrupt;
  // A tags file holds what RPC clients have set; it stays, where Serf would wipe it.
  if (!config_.tags_file.empty()) return;
  config_.tags = fresh.tags;
  set_tags(fresh.tags, [this](const std::string& error) {
    if (!error.empty()) say("Failed to update tags: " + error);
  });
}

void Agent::stop_with(int status) {
  if (stopping_) return;
  stopping_ = true;
  status_ = status;
  loop_.stop();
}

void Agent::shut_down() {
  if (!engine_) return;
  if (pipeline_) pipeline_->flush();
  if (left_ && status_ == 0) {
    const Instant until = EventLoop::now() + last_handlers_max;
    while (handlers_->pending() > 0 && EventLoop::now() < until) {
      loop_.turn(std::chrono::milliseconds(10));
    }
  }
  log_.info("agent: requesting serf shutdown");
  if (!left_) log_.warn("serf: Shutdown without a Leave");
  if (snapshot_) snapshot_->stop();
  engine_->stop();
  handlers_->stop();
  log_.info("agent: shutdown complete");
  if (rpc_) rpc_->shut_down();
}

}  // namespace starling::agent
