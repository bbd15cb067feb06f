#include "agent/config_changes.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agent/go_text.h"

namespace starling::agent {
namespace {

std::string truth(bool value) {
  return value ? "true" : "false";
}

std::string list_text(const std::vector<std::string>& list) {
  return fmt::format("[{}]", fmt::join(list, ", "));
}

std::string tags_text(const Tags& tags) {
  std::vector<std::string> pairs;
  for (const auto& [key, value] : tags) pairs.push_back(key + "=" + value);
  return list_text(pairs);
}

using Texts = std::map<std::string, std::string>;
Texts texts_of(const Config& c) {
  return {
      {"node_name", c.node_name},
      {"role", c.role},
      {"tags", tags_text(c.tags)},
      {"tags_file", c.tags_file},
      {"bind", c.bind},
      {"advertise", c.advertise},
      {"interface", c.interface},
      {"encrypt_key", c.encrypt_key},
      {"keyring_file", c.keyring_file},
      {"log_level", to_upper(c.log_level)},
      {"rpc_addr", c.rpc_addr},
      {"rpc_auth", c.rpc_auth},
      {"rpc_clients_max", std::to_string(c.rpc_clients_max)},
      {"rpc_handshake_timeout", format_duration(c.rpc_handshake_timeout)},
      {"rpc_request_timeout", format_duration(c.rpc_request_timeout)},
      {"rpc_request_size_limit", std::to_string(c.rpc_request_size_limit)},
      {"rpc_stall_timeout", format_duration(c.rpc_stall_timeout)},
      {"protocol", std::to_string(c.protocol)},
      {"replay_on_join", truth(c.replay_on_join)},
      {"start_join", list_text(c.start_join)},
      {"retry_join", list_text(c.retry_join)},
      {"retry_interval", format_duration(c.retry_interval)},
      {"retry_max_attempts", std::to_string(c.retry_max_attempts)},
      {"rejoin_after_leave", truth(c.rejoin_after_leave)},
      {"event_handlers", list_text(c.event_handlers)},
      {"profile", c.profile},
      {"enable_compression", truth(c.compression)},
      {"broadcast_timeout", format_duration(c.broadcast_timeout)},
      {"reconnect_interval", format_duration(c.reconnect_interval)},
      {"reconnect_timeout", format_duration(c.reconnect_timeout)},
      {"tombstone_timeout", format_duration(c.tombstone_timeout)},
      {"query_size_limit", std::to_string(c.query_size_limit)},
      {"query_response_size_limit", std::to_string(c.query_response_size_limit)},
      {"user_event_size_limit", std::to_string(c.user_event_size_limit)},
      {"leave_on_terminate", truth(c.leave_on_terminate)},
      {"skip_leave_on_interrupt", truth(c.skip_leave_on_interrupt)},
      {"disable_name_resolution", truth(c.disable_name_resolution)},
      {"validate_node_names", truth(c.validate_node_names)},
      {"discover", c.discover},
      {"mdns.interface", c.mdns.interface},
      {"mdns.disable_ipv4", truth(c.mdns.disable_ipv4)},
      {"mdns.disable_ipv6", truth(c.mdns.disable_ipv6)},
      {"enable_syslog", truth(c.syslog)},
      {"syslog_facility", to_upper(c.syslog_facility)},
      {"statsite_addr", c.statsite_addr},
      {"statsd_addr", c.statsd_addr},
      {"io", c.io},
      {"lanes", c.lanes},
      {"wait", c.wait},
      {"dpdk_args", c.dpdk_args},
      {"event_handler_timeout", format_duration(c.event_handler_timeout)},
      {"members_max", std::to_string(c.members_max)},
      {"host_members", c.host_members},
      {"hosted_max", std::to_string(c.hosted_max)},
  };
}

constexpr std::array<std::string_view, 5> reloaded{"log_level", "event_handlers", "tags",
                                                   "leave_on_terminate", "skip_leave_on_interrupt"};
constexpr std::array<std::string_view, 2> secret{"encrypt_key", "rpc_auth"};

bool is_among(std::string_view key, std::span<const std::string_view> keys) {
  return std::ranges::find(keys, key) != keys.end();
}

}  // namespace

std::string to_text(const ConfigChange& change) {
  return fmt::format("{}: {} -> {}{}", change.key, change.before.empty() ? "''" : change.before,
                     change.after.empty() ? "''" : change.after,
                     change.reloads ? "" : " (takes effect at the next start)");
}

std::vector<ConfigChange> config_changes(const Config& before, const Config& after) {
  const Texts old_texts = texts_of(before), new_texts = texts_of(after);
  std::vector<ConfigChange> changes;
  for (const auto& [key, text] : new_texts) {
    const std::string& old_text = old_texts.at(key);
    if (text == old_text) continue;
    const auto shown = [&](const std::string& value) {
      return is_among(key, secret) && !value.empty() ? "(hidden)" : value;
    };
    changes.push_back({key, shown(old_text), shown(text), is_among(key, reloaded)});
  }
  return changes;
}

}  // namespace starling::agent
