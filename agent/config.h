// The agent's configuration: what flags and files say, merged, checked and with defaults.
//
// protocol/serf section 16.1. Defaults <- files in order <- flags. Scalars that are set override,
// booleans can only be turned on, tags merge by key, lists are appended. A plain value, owned by
// the agent.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/durations.h"
#include "agent/flags.h"
#include "agent/member_info.h"

namespace starling::agent {

// protocol/serf section 16.5. Without an interface: the one of -iface, or the system's choice.
struct MdnsConfig {
  std::string interface;
  bool disable_ipv4 = false;
  bool disable_ipv6 = false;
};

struct Config {
  std::string node_name;
  std::string role;
  Tags tags;
  std::string tags_file;
  std::string bind = "0.0.0.0";
  std::string advertise;
  std::string interface;
  std::string encrypt_key;
  std::string keyring_file;
  std::string log_level = "INFO";
  std::string rpc_addr = "127.0.0.1:7373";
  std::string rpc_auth;
  int rpc_clients_max = 128;  // at a time; more are closed at once
  int rpc_request_size_limit = 1 << 20;
  // See RpcLimits; zero: never.
  Duration rpc_handshake_timeout = std::chrono::seconds(10);
  Duration rpc_request_timeout = std::chrono::seconds(10);
  Duration rpc_stall_timeout = std::chrono::minutes(1);
  int protocol = 5;
  bool replay_on_join = false;
  std::vector<std::string> start_join;
  std::vector<std::string> retry_join;
  Duration retry_interval = std::chrono::seconds(30);
  int retry_max_attempts = 0;
  bool rejoin_after_leave = false;
  std::string snapshot_path;
  bool disable_coordinates = false;
  int coordinates_max = 0;  // 0: by members_max, see CapacityOptions
  std::vector<std::string> event_handlers;
  std::string profile = "lan";
  bool compression = true;
  Duration broadcast_timeout = std::chrono::seconds(5);  // more for many hosted members
  Duration reconnect_interval = std::chrono::seconds(30);
  Duration reconnect_timeout = std::chrono::hours(24);
  Duration tombstone_timeout = std::chrono::hours(24);
  int query_size_limit = 1024;
  int query_response_size_limit = 1024;
  int user_event_size_limit = 512;
  bool leave_on_terminate = false;
  bool skip_leave_on_interrupt = false;
  bool disable_name_resolution = false;  // do not vote on who keeps a name
  bool validate_node_names = false;
  std::string discover;  // mDNS cluster name; empty: off
  MdnsConfig mdns;
  bool syslog = false;
  std::string syslog_facility = "LOCAL0";
  std::string statsite_addr;
  std::string statsd_addr;
  std::string io = "auto";
  std::string lanes = "1";     // or "auto"
  std::string wait = "block";  // block, adaptive or busy
  std::string dpdk_args;
  Duration event_handler_timeout = std::chrono::seconds(30);  // zero: handlers may take for ever
  int members_max = 16'384;                                   // rows reserved at start
  std::string host_members;  // FILE or PREFIX:COUNT, see hosted_members.h
  int hosted_max = 0;        // places for hosted members, the own included; 0: by their number
};

// What one source says: only the fields that it sets.
struct PartialConfig {
  std::optional<std::string> node_name, role, tags_file, bind, advertise, interface, encrypt_key,
      keyring_file, log_level, rpc_addr, rpc_auth, profile, io, dpdk_args, lanes, wait,
      snapshot_path, discover, mdns_interface, syslog_facility, statsite_addr, statsd_addr,
      host_members;
  std::optional<int> protocol, retry_max_attempts, query_size_limit, query_response_size_limit,
      user_event_size_limit, members_max, hosted_max, coordinates_max, rpc_clients_max,
      rpc_request_size_limit;
  std::optional<Duration> retry_interval, broadcast_timeout, reconnect_interval, reconnect_timeout,
      tombstone_timeout, event_handler_timeout, rpc_handshake_timeout, rpc_request_timeout,
      rpc_stall_timeout;
  bool replay_on_join = false, rejoin_after_leave = false, leave_on_terminate = false,
       skip_leave_on_interrupt = false, disable_compression = false, enable_syslog = false,
       disable_coordinates = false, disable_name_resolution = false, validate_node_names = false,
       mdns_disable_ipv4 = false, mdns_disable_ipv6 = false;
  Tags tags;
  std::vector<std::string> start_join, retry_join, event_handlers;
};

void merge(Config& config, const PartialConfig& over);

struct ConfigPath {
  std::string path;
  bool folder = false;
};

// The command line of the agent as it stands there: tags and durations are read afterwards, so that
// their errors come as Serf's do.
struct AgentFlags {
  PartialConfig config;
  std::vector<std::string> tags;
  std::optional<std::string> retry_interval, broadcast_timeout, event_handler_timeout;
  std::vector<ConfigPath> files;  // -config-file and -config-dir in their order
};
void define_agent_flags(FlagSet& flags, AgentFlags& target);

struct ConfigError {
  enum class Kind : std::uint8_t {
    flags,   // the command line: the help should follow
    help,    // the help was asked for
    config,  // anything else, for the console
  };
  Kind kind = Kind::config;
  std::string text;
};
struct LoadedConfig {
  Config config;
  std::vector<std::string> warnings;
};
enum class LoadFor : std::uint8_t {
  start,
  reload,  // an unknown log level passes: the old one stays, everything else is taken over
};
// Parses the command line, reads the files, merges and checks.
std::expected<LoadedConfig, ConfigError> load_config(std::span<const std::string> arguments,
                                                     LoadFor purpose = LoadFor::start);
// The files alone, as `starling config check` reads them.
std::expected<LoadedConfig, std::string> load_config_files(const std::vector<ConfigPath>& paths);

// What is wrong with a name where validate_node_names is on, in Serf's words.
std::optional<std::string> node_name_problem(std::string_view name);

// Sentence about a combination that cannot work, in Serf's words; raises intervals that are too
// short and adds a warning.
std::optional<std::string> check(Config& config, std::vector<std::string>& warnings,
                                 LoadFor purpose = LoadFor::start);

}  // namespace starling::agent
