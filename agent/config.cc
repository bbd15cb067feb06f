#include "agent/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "agent/config_file.h"
#include "agent/event_filter.h"
#include "agent/go_text.h"
#include "agent/lane_choice.h"
#include "agent/log.h"
#include "agent/syslog.h"
#include "agent/tag_text.h"
#include "core/shard/node_view.h"
#include "core/shard/options.h"
#include "io/port_options.h"

namespace starling::agent {
namespace {

// A descriptor each, of the 1024 that a process usually has.
constexpr int rpc_clients_most = 900;
// Events and queries of every permitted size must fit; a request is held in memory whole.
constexpr int rpc_request_least = 16 << 10, rpc_request_most = 64 << 20;

template <class T>
void override_with(T& value, const std::optional<T>& over) {
  if (over) value = *over;
}

void override_text(std::string& value, const std::optional<std::string>& over) {
  if (over && !over->empty()) value = *over;
}

// Zero and less mean "not set".
void override_number(int& value, std::optional<int> over) {
  if (over && *over > 0) value = *over;
}

void append(std::vector<std::string>& list, const std::vector<std::string>& more) {
  list.insert(list.end(), more.begin(), more.end());
}

void define_network_flags(FlagSet& flags, AgentFlags& target) {
  PartialConfig& config = target.config;
  flags.text({"bind", "0.0.0.0:7946",
              "Where to listen for other members: host, host:port,\n"
              "[v6] or [v6]:port."},
             config.bind);
  flags.text({"advertise", "host:port", "What other members are told, if not the bind address."},
             config.advertise);
  flags.text({"iface", "name",
              "Network interface to bind to, instead of -bind or to\n"
              "check it."},
             config.interface);
  flags.text({"rpc-addr", "127.0.0.1:7373", "Where to listen for commands."}, config.rpc_addr);
  flags.text(
      {"lanes", "N|auto",
       "Threads that share the members among them; auto: one for each physical core. Default 1."},
      config.lanes);
  flags.text(
      {"wait", "block|adaptive|busy",
       "What an idle lane does: sleep at once, look for 50 us first, or never sleep. Default "
       "block."},
      config.wait);
  flags.text({"io", "auto|uring|sockets|dpdk",
              "How packets go out. Default auto: io_uring, or sockets\n"
              "where the system forbids it."},
             config.io);
  flags.text({"dpdk-args", "arguments",
              "What DPDK is started with, for -io=dpdk:\n"
              "\"--vdev=net_af_packet0,iface=eth0\"."},
             config.dpdk_args);
  flags.text({"encrypt", "key", "Encrypt with this base64 key of 16, 24 or 32 bytes."},
             config.encrypt_key);
  flags.text({"keyring-file", "path", "File with a JSON array of keys, the first one primary."},
             config.keyring_file);
  flags.boolean({"disable-compression", "", "Send messages as they are."},
                config.disable_compression);
}

void define_cluster_flags(FlagSet& flags, AgentFlags& target) {
  PartialConfig& config = target.config;
  flags.list({"join", "address",
              "Join through this member at start, or through those of\n"
              "a DNS service, as _serf._tcp.example.com; may be\n"
              "repeated. The agent ends when none can be reached."},
             config.start_join);
  flags.list({"retry-join", "address",
              "The same, but tried again until it works. Names are\n"
              "looked up in each try."},
             config.retry_join);
  flags.text({"retry-interval", "30s", "Time between such attempts."}, target.retry_interval);
  flags.integer({"retry-max", "0", "How often to try again; 0 is for ever."},
                config.retry_max_attempts);
  flags.boolean({"replay", "", "Deliver user events from before the join too."},
                config.replay_on_join);
  flags.text({"snapshot", "path",
              "File that keeps clocks and members over restarts, so that\n"
              "the agent joins its cluster again by itself."},
             config.snapshot_path);
  flags.boolean({"rejoin", "", "Join again from the snapshot even after a leave."},
                config.rejoin_after_leave);
  flags.text({"profile", "lan|wan|local", "Timing for this kind of network."}, config.profile);
  flags.integer({"protocol", "5", "Serf protocol version to speak: 2 to 5."}, config.protocol);
  flags.text({"broadcast-timeout", "5s",
              "How long a leave waits for its broadcast; an agent that\n"
              "hosts many members waits 40 ms for each, if need be."},
             target.broadcast_timeout);
  flags.integer({"members-max", "16384",
                 "How many members there is room for; a full agent\n"
                 "refuses newcomers and says so."},
                config.members_max);
}

void define_hosting_flags(FlagSet& flags, PartialConfig& config) {
  flags.text({"host-members", "FILE|PREFIX:COUNT",
              "Host further members, which all look like agents of\n"
              "their own: those of a JSON file, an array of\n"
              "{\"name\": ..., \"tags\": {...}, \"advertise\": \"ip[:port]\"},\n"
              "or COUNT of them with the names PREFIX-0001 and so on.\n"
              "Read at start only; later: starling host, unhost."},
             config.host_members);
  flags.integer({"hosted-max", "64",
                 "How many members can be hosted, the agent's own among\n"
                 "them. Default: twice as many as at start, at least 64."},
                config.hosted_max);
}

void define_discovery_flags(FlagSet& flags, PartialConfig& config) {
  flags.text({"discover", "name",
              "Find and join members that have the same name here, by\n"
              "multicast DNS."},
             config.discover);
  flags.text({"mdns-iface", "name", "Interface for -discover; that of -iface if not given."},
             config.mdns_interface);
  flags.boolean({"mdns-disable-ipv4", "", "Ask by IPv6 only."}, config.mdns_disable_ipv4);
  flags.boolean({"mdns-disable-ipv6", "", "Ask by IPv4 only."}, config.mdns_disable_ipv6);
}

}  // namespace

void merge(Config& config, const PartialConfig& over) {
  override_text(config.node_name, over.node_name);
  override_text(config.role, over.role);
  override_text(config.tags_file, over.tags_file);
  override_text(config.bind, over.bind);
  override_text(config.advertise, over.advertise);
  override_text(config.interface, over.interface);
  override_text(config.encrypt_key, over.encrypt_key);
  override_text(config.keyring_file, over.keyring_file);
  override_text(config.log_level, over.log_level);
  override_text(config.rpc_addr, over.rpc_addr);
  override_text(config.rpc_auth, over.rpc_auth);
  override_text(config.profile, over.profile);
  override_text(config.io, over.io);
  override_text(config.lanes, over.lanes);
  override_text(config.wait, over.wait);
  override_text(config.host_members, over.host_members);
  override_text(config.dpdk_args, over.dpdk_args);
  override_text(config.snapshot_path, over.snapshot_path);
  override_text(config.discover, over.discover);
  override_text(config.mdns.interface, over.mdns_interface);
  override_text(config.syslog_facility, over.syslog_facility);
  override_text(config.statsite_addr, over.statsite_addr);
  override_text(config.statsd_addr, over.statsd_addr);
  override_number(config.protocol, over.protocol);
  override_number(config.retry_max_attempts, over.retry_max_attempts);
  override_number(config.query_size_limit, over.query_size_limit);
  override_number(config.query_response_size_limit, over.query_response_size_limit);
  override_number(config.user_event_size_limit, over.user_event_size_limit);
  override_with(config.rpc_clients_max, over.rpc_clients_max);
  override_with(config.rpc_request_size_limit, over.rpc_request_size_limit);
  override_with(config.rpc_handshake_timeout, over.rpc_handshake_timeout);
  override_with(config.rpc_request_timeout, over.rpc_request_timeout);
  override_with(config.rpc_stall_timeout, over.rpc_stall_timeout);
  if (over.members_max) config.members_max = *over.members_max;
  if (over.hosted_max) config.hosted_max = *over.hosted_max;
  if (over.coordinates_max) config.coordinates_max = *over.coordinates_max;
  config.disable_coordinates |= over.disable_coordinates;
  override_with(config.retry_interval, over.retry_interval);
  override_with(config.broadcast_timeout, over.broadcast_timeout);
  override_with(config.reconnect_interval, over.reconnect_interval);
  override_with(config.reconnect_timeout, over.reconnect_timeout);
  override_with(config.tombstone_timeout, over.tombstone_timeout);
  if (over.event_handler_timeout) config.event_handler_timeout = *over.event_handler_timeout;
  config.replay_on_join |= over.replay_on_join;
  config.disable_name_resolution |= over.disable_name_resolution;
  config.rejoin_after_leave |= over.rejoin_after_leave;
  config.leave_on_terminate |= over.leave_on_terminate;
  config.skip_leave_on_interrupt |= over.skip_leave_on_interrupt;
  config.syslog |= over.enable_syslog;
  config.validate_node_names |= over.validate_node_names;
  config.mdns.disable_ipv4 |= over.mdns_disable_ipv4;
  config.mdns.disable_ipv6 |= over.mdns_disable_ipv6;
  if (over.disable_compression) config.compression = false;
  for (const auto& [key, value] : over.tags) config.tags[key] = value;
  append(config.start_join, over.start_join);
  append(config.retry_join, over.retry_join);
  append(config.event_handlers, over.event_handlers);
}

void define_agent_flags(FlagSet& flags, AgentFlags& target) {
  PartialConfig& config = target.config;
  const auto path = [&target](bool folder) {
    return [&target, folder](std::string_view value) {
      target.files.push_back({std::string(value), folder});
      return std::optional<std::string>();
    };
  };
  flags.text({"node", "name", "Name of this member; the host's name if not given."},
             config.node_name);
  flags.list({"tag", "key=value", "A tag of this member; may be repeated."}, target.tags);
  flags.text({"role", "name", "Old form of -tag role=name."}, config.role);
  flags.text({"tags-file", "path", "File that keeps tags over restarts; excludes -tag."},
             config.tags_file);
  define_network_flags(flags, target);
  define_cluster_flags(flags, target);
  define_hosting_flags(flags, config);
  flags.list({"event-handler", "[filters=]command",
              "Run a shell command on events; may be repeated. Filters\n"
              "is a comma list of member-join, member-leave,\n"
              "member-failed, member-update, member-reap, user,\n"
              "user:NAME and *."},
             config.event_handlers);
  flags.text({"event-handler-timeout", "30s",
              "How long such a command may run before it is ended;\n"
              "0 is for ever."},
             target.event_handler_timeout);
  flags.text({"log-level", "info", "Least level to log: trace, debug, info, warn, err."},
             config.log_level);
  flags.custom({"config-file", "path", "JSON configuration; may be repeated."}, path(false));
  flags.custom({"config-dir", "path", "Every *.json in this folder, by name."}, path(true));
  flags.boolean({"syslog", "", "Send the log to the system's log, too."}, config.enable_syslog);
  define_discovery_flags(flags, config);
}

std::optional<std::string> node_name_problem(std::string_view name) {
  const auto fits = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '.'; };
  if (!std::ranges::all_of(name, fits)) {
    return fmt::format(
        "Node name contains invalid characters {} , Valid characters include all alpha-numerics "
        "and dashes and '.'",
        name);
  }
  if (name.size() > 128) {
    return fmt::format("Node name is {} characters. Valid length is between 1 and 128 characters",
                       name.size());
  }
  return std::nullopt;
}

std::optional<std::string> check(Config& config, std::vector<std::string>& warnings,
                                 LoadFor purpose) {
  if (!config.encrypt_key.empty()) {
    if (!config.keyring_file.empty()) return "Encryption key not allowed while using a keyring";
    const auto raw = base64_decode(config.encrypt_key);
    if (!raw) return "Invalid encryption key: " + raw.error();
  }
  for (const std::string& handler : config.event_handlers) {
    if (const auto scripts = parse_event_script(handler); !scripts) return scripts.error();
  }
  if (!log_level_from(config.log_level) && purpose == LoadFor::start) {
    return "Invalid log level: " + to_upper(config.log_level) +
           ". Valid log levels are: [TRACE DEBUG INFO WARN ERR]";
  }
  if (config.validate_node_names && !config.node_name.empty()) {
    if (auto problem = node_name_problem(config.node_name)) return problem;
  }
  if (config.syslog && !syslog_facility_from(config.syslog_facility)) {
    return "Syslog setup failed: invalid syslog facility: " + config.syslog_facility;
  }
  if (!config.mdns.interface.empty() && config.mdns.disable_ipv4 && config.mdns.disable_ipv6) {
    return "Invalid mDNS configuration: both IPv4 and IPv6 are disabled";
  }
  if (!profile_from(config.profile)) return "Unknown profile: " + config.profile;
  if (!io::port_choice_from(config.io)) return "Unknown -io: " + config.io;
  if (!lane_count(config.lanes, 1)) {
    return "-lanes must be a number from 1 to " + std::to_string(lanes_max) +
           ", or auto: " + config.lanes;
  }
  if (!wait_mode_from(config.wait)) return "Unknown -wait: " + config.wait;
  if (!config.dpdk_args.empty() && config.io != "dpdk") return "-dpdk-args goes with -io=dpdk only";
  if (config.members_max < 1 || config.members_max > 1 << 24) {
    return fmt::format("members_max must be 1 to {}, not {}", 1 << 24, config.members_max);
  }
  if (config.hosted_max < 0 || config.hosted_max > 1 << 20) {
    return fmt::format("hosted_max must be 1 to {}, or 0 to be chosen, not {}", 1 << 20,
                       config.hosted_max);
  }
  if (config.coordinates_max < 0 || config.coordinates_max > 1 << 24) {
    return fmt::format("coordinates_max must be 1 to {}, or 0 to be chosen, not {}", 1 << 24,
                       config.coordinates_max);
  }
  if (config.rpc_clients_max < 1 || config.rpc_clients_max > rpc_clients_most) {
    return fmt::format("rpc_clients_max must be 1 to {}, not {}", rpc_clients_most,
                       config.rpc_clients_max);
  }
  if (config.rpc_request_size_limit < rpc_request_least ||
      config.rpc_request_size_limit > rpc_request_most) {
    return fmt::format("rpc_request_size_limit must be {} to {}, not {}", rpc_request_least,
                       rpc_request_most, config.rpc_request_size_limit);
  }
  for (const auto& [key, value] : {std::pair("rpc_handshake_timeout", config.rpc_handshake_timeout),
                                   std::pair("rpc_request_timeout", config.rpc_request_timeout),
                                   std::pair("rpc_stall_timeout", config.rpc_stall_timeout)}) {
    if (value < Duration::zero()) return fmt::format("{} must not be negative", key);
  }
  if (config.event_handler_timeout < Duration::zero()) {
    return "event_handler_timeout must not be negative";
  }

  constexpr Duration shortest = std::chrono::seconds(1);
  if (config.broadcast_timeout < shortest) {
    warnings.push_back("Warning: 'BroadcastTimeout' is too low. Setting to 1s");
    config.broadcast_timeout = shortest;
  }
  if (config.retry_interval < shortest) {
    warnings.push_back("Warning: 'RetryInterval' is too low. Setting to 1s");
    config.retry_interval = shortest;
  }
  if (!config.role.empty()) {
    warnings.push_back("Deprecation warning: 'Role' has been replaced with 'Tags'");
    config.tags["role"] = config.role;
  }
  if (config.rejoin_after_leave && config.snapshot_path.empty()) {
    warnings.push_back("Warning: 'RejoinAfterLeave' enabled without snapshot file");
  }
  return std::nullopt;
}

namespace {

std::expected<LoadedConfig, std::string> load(const std::vector<ConfigPath>& paths,
                                              const PartialConfig* flags, LoadFor purpose) {
  const auto files = read_config_files(paths);
  if (!files) return std::unexpected(files.error());
  LoadedConfig loaded;
  for (const PartialConfig& file : *files) merge(loaded.config, file);
  if (flags != nullptr) merge(loaded.config, *flags);
  if (const auto fault = check(loaded.config, loaded.warnings, purpose)) {
    return std::unexpected(*fault);
  }
  return loaded;
}

}  // namespace

std::expected<LoadedConfig, ConfigError> load_config(std::span<const std::string> arguments,
                                                     LoadFor purpose) {
  using Kind = ConfigError::Kind;
  AgentFlags target;
  FlagSet flags;
  define_agent_flags(flags, target);
  if (const auto positional = flags.parse(arguments); !positional) {
    const FlagError& error = positional.error();
    return std::unexpected(ConfigError{error.help_wanted ? Kind::help : Kind::flags, error.text});
  }
  const auto wrong = [](const std::string& text) {
    return std::unexpected(ConfigError{Kind::config, text});
  };

  auto tags = parse_tags(target.tags);
  if (!tags) return wrong("Error: " + tags.error());
  target.config.tags = std::move(*tags);
  const auto duration = [](const std::optional<std::string>& text, std::optional<Duration>& out) {
    if (!text) return std::string();
    const auto value = parse_duration(*text);
    if (value) out = *value;
    return value ? std::string() : "Error: " + value.error();
  };
  std::string problem = duration(target.retry_interval, target.config.retry_interval);
  if (problem.empty()) {
    problem = duration(target.broadcast_timeout, target.config.broadcast_timeout);
  }
  if (problem.empty()) {
    problem = duration(target.event_handler_timeout, target.config.event_handler_timeout);
  }
  if (!problem.empty()) return wrong(problem);

  auto loaded = load(target.files, &target.config, purpose);
  if (!loaded) return wrong(loaded.error());
  return std::move(*loaded);
}

std::expected<LoadedConfig, std::string> load_config_files(const std::vector<ConfigPath>& paths) {
  return load(paths, nullptr, LoadFor::start);
}

}  // namespace starling::agent
