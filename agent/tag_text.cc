#include "agent/tag_text.h"

#include <array>

#include "core/serf/tags.h"

namespace starling::agent {

std::expected<Tags, std::string> parse_tags(const std::vector<std::string>& pairs) {
  Tags tags;
  for (const std::string& pair : pairs) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) {
      return std::unexpected("Invalid tag: '" + pair + "'");
    }
    tags[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  return tags;
}

std::expected<std::string, std::string> metadata_of(const Tags& tags, std::uint8_t protocol) {
  std::vector<Tag> views;
  for (const auto& [key, value] : tags) views.push_back({key, value});
  std::array<std::byte, meta_bytes_max> room;
  const auto meta = write_tags(views, protocol, room);
  if (!meta) return std::unexpected(std::string(to_text(meta.error())));
  return std::string(as_text(*meta));
}

}  // namespace starling::agent
