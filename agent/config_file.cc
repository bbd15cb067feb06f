#include "agent/config_file.h"

#include <dirent.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <sstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "agent/go_text.h"
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

 private:
  using Take = std::function<void(const std::string& key, const Json& value)>;
  void wrong_type(const std::string& place, std::string_view expected, const Json& value) {
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
  Take ignored_text() {
    return [this](const std::string& key, const Json& value) {
      if (!value.is_string()) wrong_type(key, "string", value);
    };
  }
  Take duration(std::optional<Duration>& target) {
    return [this, &target](const std::string& key, const Json& value) {
      if (!value.is_string()) return wrong_type(key, "string", value);
      const auto parsed = parse_duration(value.get<std::string>());
      if (parsed) {
        target = *parsed;
      } else if (duration_error.empty()) {
        duration_error = parsed.error();
      }
    };
  }
  Take list(std::vector<std::string>& target) {
    return [this, &target](const std::string& key, const Json& value) {
      if (!value.is_array()) {
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
      {"syslog_facility", ignored_text()},
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
      {"validate_node_names", boolean([](bool) {})},
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

void Decoder::decode(const Json& object) {
  const std::map<std::string, Take> known = fields();
  std::vector<std::string> unknown;
  for (const auto& [key, value] : object.items()) {
    const auto field = known.find(to_lower(key));
    if (field == known.end()) {
      unknown.push_back(key);
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

std::expected<PartialConfig, std::string> decode_config(std::string_view json) {
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
  if (!decoder.errors.empty()) {
    std::string text = fmt::format("{} error(s) decoding:\n", decoder.errors.size());
    for (const std::string& error : decoder.errors) text += "\n* " + error;
    return std::unexpected(text);
  }
  if (!decoder.duration_error.empty()) return std::unexpected(decoder.duration_error);
  return config;
}

std::expected<std::vector<PartialConfig>, std::string> read_config_files(
    const std::vector<ConfigPath>& paths) {
  std::vector<std::string> files;
  for (const ConfigPath& path : paths) {
    if (!path.folder) {
      files.push_back(path.path);
      continue;
    }
    const auto inside = json_files_of(path.path);
    if (!inside) return std::unexpected("Error reading '" + path.path + "': " + inside.error());
    files.insert(files.end(), inside->begin(), inside->end());
  }
  std::vector<PartialConfig> configs;
  for (const std::string& file : files) {
    const auto text = read_text_file(file);
    if (!text) return std::unexpected("Error reading '" + file + "': " + text.error());
    auto config = decode_config(*text);
    if (!config) return std::unexpected("Error decoding '" + file + "': " + config.error());
    configs.push_back(std::move(*config));
  }
  return configs;
}

}  // namespace starling::agent
