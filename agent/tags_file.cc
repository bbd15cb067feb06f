#include "agent/tags_file.h"

#include <nlohmann/json.hpp>

#include "agent/go_text.h"
#include "agent/text_file.h"

namespace starling::agent {

std::expected<Tags, std::string> read_tags_file(const std::string& path) {
  if (!file_exists(path)) return Tags{};
  const auto text = read_text_file(path);
  if (!text) return std::unexpected("Failed to read tags file: " + text.error());
  const nlohmann::json json = nlohmann::json::parse(*text, nullptr, false);
  const auto wrong = [&](std::string_view why) {
    return std::unexpected("Failed to decode tags file: " + path + ": " + std::string(why));
  };
  if (json.is_discarded()) return wrong("not JSON");
  if (!json.is_object()) return wrong("not an object");
  Tags tags;
  for (const auto& [key, value] : json.items()) {
    if (!value.is_string()) return wrong("tag " + go_quote(key) + " is not a string");
    tags[key] = value.get<std::string>();
  }
  return tags;
}

std::expected<void, std::string> write_tags_file(const std::string& path, const Tags& tags) {
  std::string text = "{";
  for (const auto& [key, value] : tags) {
    text += (text.size() > 1 ? ",\n  " : "\n  ") + json_quote(key) + ": " + json_quote(value);
  }
  text += tags.empty() ? "}" : "\n}";
  const auto written = write_text_file(path, text);
  if (!written) return std::unexpected("Failed to write tags file: " + written.error());
  return {};
}

}  // namespace starling::agent
