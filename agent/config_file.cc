#include "agent/config_file.h"

#include <dirent.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <sstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "agent/go_text.h"
#include "agent/json_lines.h"
#include "agent/text_file.h"
#include "io/errno_text.h"

namespace starling::agent {
namespace {

using Json = nlohmann::json;

std::string_view go_type(const Json& value) {
  switch (value.type()) {
    case Json::value_t::string:
      return "string";
    case Json::value_t::boolean:
      return "bool";
    case Json::value_t::array:
      return "[]interface {}";
    case Json::value_t::object:
      return "map[string]interface {}";
    default:
      return value.is_number() ? "float64" : "nil";
  }
}

// "a string", "true or false", ...
std::string_view plain_type(std::string_view type) {
  if (type == "string") return "a string";
  if (type == "bool") return "true or false";
  if (type == "int" || type == "float64") return "a number";
  return type == "nil" ? "null" : type.starts_with('[') ? "an array" : "an object";
}

// As Go's %v prints a decoded value.
std::string go_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number()) return fmt::format("{}", value.get<double>());
  if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
  std::string out = value.is_array() ? "[" : "map[";
  bool first = true;
  for (const auto& [key, item] : value.items()) {
    out += first ? "" : " ";
    out += value.is_array() ? go_text(item) : key + ":" + go_text(item);
    first = false;
  }
  return out + "]";
}

// Collects what is wrong, so that one look at the file is enough to mend it.
class Decoder {
 public:
  explicit Decoder(PartialConfig& config) : config_(config) {}

  void decode(const Json& object);
  std::vector<std::string> errors;
  std::string duration_error;  // Serf reports these alone, after everything else
  // The same faults for people: where, as json_lines names it, and what.
  std::vector<std::pair<std::string, std::string>> faults;

 private:
  using Take = std::function<void(const std::string& key, const Json& value)>;
  void wrong_type(const std::string& place, std::string_view expected, const Json& value) {
    faults.emplace_back(place, fmt::format("{} must be {}, not {}", place, plain_type(expected),
                                           plain_type(go_type(value))));
    errors.push_back(
        fmt::format("'{}' expected type '{}', got unconvertible type '{}', value: '{}'", place,
                    expected, go_type(value), go_text(value)));
  }
  Take text(std::optional<std::string>& target) {
    return [this, &target](const std::string& key, const Json& value) {
      if (!value.is_string()) return wrong_type(key, "string", value);
      target = value.get<std::string>();
    };
  }
  Take number(std::optional<int>& target) {
    return [this, &target](const std::string& key, const Json& value) {
      if (!value.is_number()) return wrong_type(key, "int", value);
      const double raw = std::clamp(std::trunc(value.get<double>()), -2e9, 2e9);
      target = static_cast<int>(raw);
    };
  }
  Take boolean(std::function<void(bool)> set) {
    return [this, set = std::move(set)](const std::string& key, const Json& value) {
      if (!value.is_boolean()) return wrong_type(key, "bool", value);
      set(value.get<bool>());
    };
  }
  Take boolean(bool& target) {
    return boolean([&target](bool value) { target |= value; });
  }
  Take duration(std::optional<Duration>& target) {
    return [this, &target](const std::string& key, const Json& value) {
      if (!value.is_string()) return wrong_type(key, "string", value);
      const auto parsed = parse_duration(value.get<std::string>());
      if (parsed) {
        target = *parsed;
      } else {
        faults.emplace_back(key, fmt::format("{}: {}", key, parsed.error()));
        if (duration_error.empty()) duration_error = parsed.error();
      }
    };
  }
  Take list(std::vector<std::string>& target) {
    return [this, &target](const std::string& key, const Json& value) {
      if (!value.is_array()) {
        faults.emplace_back(key, key + " must be an array of strings");
        errors.push_back(fmt::format("'{}': source data must be an array or slice, got {}", key,
                                     value.is_object() ? "map" : go_type(value)));
        return;
      }
      for (std::size_t i = 0; i < value.size(); ++i) {
        if (!value[i].is_string()) {
          wrong_type(fmt::format("{}[{}]", key, i), "string", value[i]);
        } else {
          target.push_back(value[i].get<std::string>());
        }
      }
    };
  }
  Take tags(Tags& target) {
    return [this, &target](const std::string& key, const Json& value) {
      if (!value.is_object()) {
        faults.emplace_back(key, key + " must be an object");
        errors.push_back(fmt::format("'{}' expected a map, got '{}'", key,
                                     value.is_array() ? "slice" : go_type(value)));
        return;
      }
      for (const auto& [tag, content] : value.items()) {
        if (!content.is_string()) {
          wrong_type(fmt::format("{}[{}]", key, tag), "string", content);
        } else {
          target[tag] = content.get<std::string>();
        }
      }
    };
  }
  void mdns(const std::string& key, const Json& value);
  std::map<std::string, Take> fields();

  PartialConfig& config_;
};

std::map<std::string, Decoder::Take> Decoder::fields() {
  PartialConfig& c = config_;
  return {
      {"node_name", text(c.node_name)},
      {"role", text(c.role)},
      {"tags", tags(c.tags)},
      {"tags_file", text(c.tags_file)},
      {"bind", text(c.bind)},
      {"advertise", text(c.advertise)},
      {"interface", text(c.interface)},
      {"encrypt_key", text(c.encrypt_key)},
      {"keyring_file", text(c.keyring_file)},
      {"log_level", text(c.log_level)},
      {"rpc_addr", text(c.rpc_addr)},
      {"rpc_auth", text(c.rpc_auth)},
      {"rpc_clients_max", number(c.rpc_clients_max)},
      {"rpc_handshake_timeout", duration(c.rpc_handshake_timeout)},
      {"rpc_request_timeout", duration(c.rpc_request_timeout)},
      {"rpc_request_size_limit", number(c.rpc_request_size_limit)},
      {"rpc_stall_timeout", duration(c.rpc_stall_timeout)},
      {"protocol", number(c.protocol)},
      {"replay_on_join", boolean(c.replay_on_join)},
      {"start_join", list(c.start_join)},
      {"retry_join", list(c.retry_join)},
      {"retry_interval", duration(c.retry_interval)},
      {"retry_max_attempts", number(c.retry_max_attempts)},
      {"rejoin_after_leave", boolean(c.rejoin_after_leave)},
      {"snapshot_path", text(c.snapshot_path)},
      {"event_handlers", list(c.event_handlers)},
      {"profile", text(c.profile)},
      {"discover", text(c.discover)},
      {"enable_syslog", boolean(c.enable_syslog)},
      {"syslog_facility", text(c.syslog_facility)},
      {"enable_compression", boolean([](bool) {})},  // in Serf, too, the flag alone decides
      {"broadcast_timeout", duration(c.broadcast_timeout)},
      {"reconnect_interval", duration(c.reconnect_interval)},
      {"reconnect_timeout", duration(c.reconnect_timeout)},
      {"tombstone_timeout", duration(c.tombstone_timeout)},
      {"query_size_limit", number(c.query_size_limit)},
      {"query_response_size_limit", number(c.query_response_size_limit)},
      {"user_event_size_limit", number(c.user_event_size_limit)},
      {"leave_on_terminate", boolean(c.leave_on_terminate)},
      {"skip_leave_on_interrupt", boolean(c.skip_leave_on_interrupt)},
      {"disable_name_resolution", boolean(c.disable_name_resolution)},
      {"statsite_addr", text(c.statsite_addr)},
      {"statsd_addr", text(c.statsd_addr)},
      {"disable_coordinates", boolean(c.disable_coordinates)},
      {"coordinates_max", number(c.coordinates_max)},
      {"validate_node_names", boolean(c.validate_node_names)},
      {"mdns", [this](const std::string& key, const Json& value) { mdns(key, value); }},
      {"io", text(c.io)},
      {"lanes", text(c.lanes)},
      {"wait", text(c.wait)},
      {"dpdk_args", text(c.dpdk_args)},
      {"event_handler_timeout", duration(c.event_handler_timeout)},
      {"members_max", number(c.members_max)},
      {"host_members", text(c.host_members)},
      {"hosted_max", number(c.hosted_max)},
  };
}

void Decoder::mdns(const std::string& key, const Json& value) {
  if (!value.is_object()) {
    faults.emplace_back(key, key + " must be an object");
    errors.push_back(fmt::format("'{}' expected a map, got '{}'", key, go_type(value)));
    return;
  }
  const std::map<std::string, Take> known{
      {"interface", text(config_.mdns_interface)},
      {"disable_ipv4", boolean(config_.mdns_disable_ipv4)},
      {"disable_ipv6", boolean(config_.mdns_disable_ipv6)},
  };
  std::vector<std::string> unknown;
  for (const auto& [name, item] : value.items()) {
    const auto field = known.find(to_lower(name));
    if (field == known.end()) {
      unknown.push_back(name);
      faults.emplace_back(fmt::format("{}[{}]", key, name),
                          go_quote(name) + " is not a key of mdns");
    } else if (!item.is_null()) {
      field->second(fmt::format("{}[{}]", key, field->first), item);
    }
  }
  if (unknown.empty()) return;
  std::ranges::sort(unknown);
  errors.push_back(fmt::format("'{}' has invalid keys: {}", key, fmt::join(unknown, ", ")));
}

void Decoder::decode(const Json& object) {
  const std::map<std::string, Take> known = fields();
  std::vector<std::string> unknown;
  for (const auto& [key, value] : object.items()) {
    const auto field = known.find(to_lower(key));
    if (field == known.end()) {
      unknown.push_back(key);
      faults.emplace_back(to_lower(key), go_quote(key) + " is not a key of the configuration");
    } else if (!value.is_null()) {
      field->second(field->first, value);
    }
  }
  std::ranges::sort(errors);
  if (!unknown.empty()) {
    std::ranges::sort(unknown);
    errors.push_back(fmt::format("'' has invalid keys: {}", fmt::join(unknown, ", ")));
  }
}

// nlohmann's words without its own error number.
std::string parse_error_text(std::string_view what) {
  const std::size_t bracket = what.find("] ");
  return std::string(bracket == std::string_view::npos ? what : what.substr(bracket + 2));
}

std::expected<std::vector<std::string>, std::string> json_files_of(const std::string& folder) {
  DIR* const directory = opendir(folder.c_str());
  if (directory == nullptr) {
    return std::unexpected("open " + folder + ": " + io::errno_text(errno));
  }
  std::vector<std::string> paths;
  while (const dirent* const entry = readdir(directory)) {
    const std::string name = entry->d_name;
    if (name.ends_with(".json") && entry->d_type != DT_DIR) paths.push_back(folder + "/" + name);
  }
  closedir(directory);
  std::ranges::sort(paths);
  return paths;
}

}  // namespace

std::expected<PartialConfig, std::string> decode_config(std::string_view json,
                                                        const std::string& file) {
  if (trim_space(json).empty()) return std::unexpected("EOF");
  Json object;
  try {
    // A stream is read up to the end of the first value, as Go does.
    std::istringstream in{std::string(json)};
    in >> object;
  } catch (const Json::exception& error) {
    return std::unexpected(parse_error_text(error.what()));
  }
  if (!object.is_object()) {
    return std::unexpected(
        fmt::format("'' expected a map, got '{}'", object.is_array() ? "slice" : go_type(object)));
  }
  PartialConfig config;
  Decoder decoder(config);
  decoder.decode(object);
  std::string text;
  if (!decoder.errors.empty()) {
    text = fmt::format("{} error(s) decoding:\n", decoder.errors.size());
    for (const std::string& error : decoder.errors) text += "\n* " + error;
  } else {
    text = decoder.duration_error;
  }
  if (text.empty()) return config;
  if (file.empty()) return std::unexpected(text);
  // Serf's words first, then where to look.
  const JsonLines lines = json_lines(json);
  std::vector<std::pair<std::size_t, std::string>> places;
  for (const auto& [place, what] : decoder.faults) {
    const auto at = lines.find(place);
    places.emplace_back(at == lines.end() ? 1 : at->second, what);
  }
  std::ranges::sort(places);
  text += "\n";
  for (const auto& [line, what] : places) text += fmt::format("\n{}:{}: {}", file, line, what);
  return std::unexpected(text);
}

namespace {

std::expected<std::vector<std::string>, std::string> files_of(const ConfigPath& path) {
  if (!path.folder) return std::vector{path.path};
  auto inside = json_files_of(path.path);
  if (!inside) return std::unexpected("Error reading '" + path.path + "': " + inside.error());
  return std::move(*inside);
}

std::expected<PartialConfig, std::string> read_config_file(const std::string& file) {
  const auto text = read_text_file(file);
  if (!text) return std::unexpected("Error reading '" + file + "': " + text.error());
  auto config = decode_config(*text, file);
  if (!config) return std::unexpected("Error decoding '" + file + "': " + config.error());
  return std::move(*config);
}

}  // namespace

std::vector<std::string> config_faults(const ConfigPath& path) {
  const auto files = files_of(path);
  if (!files) return {files.error()};
  std::vector<std::string> faults;
  for (const std::string& file : *files) {
    if (const auto config = read_config_file(file); !config) faults.push_back(config.error());
  }
  return faults;
}

std::expected<std::vector<PartialConfig>, std::string> read_config_files(
    const std::vector<ConfigPath>& paths) {
  std::vector<PartialConfig> configs;
  for (const ConfigPath& path : paths) {
    const auto files = files_of(path);
    if (!files) return std::unexpected(files.error());
    for (const std::string& file : *files) {
      auto config = read_config_file(file);
      if (!config) return std::unexpected(config.error());
      configs.push_back(std::move(*config));
    }
  }
  return configs;
}

}  // namespace starling::agent
