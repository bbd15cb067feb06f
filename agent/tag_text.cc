#include "agent/tag_text.h"

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

}  // namespace starling::agent
