#include "agent/hosted_members.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "agent/addresses.h"
#include "agent/go_text.h"
#include "agent/text_file.h"

namespace starling::agent {
namespace {

using Json = nlohmann::json;

// nullopt when this is not PREFIX:COUNT.
std::optional<std::expected<std::vector<HostedSpec>, std::string>> counted(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || text.contains('/')) return std::nullopt;
  const std::string_view prefix = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  if (digits.empty() || !std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; })) {
    return std::nullopt;
  }
  if (prefix.empty()) return std::unexpected(go_quote(text) + " has no prefix before the colon");
  std::size_t count = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), count);
  if (read.ec != std::errc() || count < 1 || count > hosted_members_max) {
    return std::unexpected(
        fmt::format("the count in {} must be 1 to {}", go_quote(text), hosted_members_max));
  }
  const std::size_t width = std::max<std::size_t>(4, std::to_string(count).size());
  std::vector<HostedSpec> members;
  members.reserve(count);
  for (std::size_t i = 1; i <= count; ++i) {
    members.push_back({.name = fmt::format("{}-{:0{}}", prefix, i, width)});
  }
  return members;
}

// Reads one element; the error says which field is wrong.
class Element {
 public:
  explicit Element(const Json& value) : value_(value) {}

  std::expected<HostedSpec, std::string> read() {
    if (!value_.is_object())
      return std::unexpected("which must be an object, is a " + type(value_));
    HostedSpec spec;
    std::string problem;
    for (const auto& [key, field] : value_.items()) {
      if (key == "name") {
        problem = text("name", field, spec.name);
      } else if (key == "tags") {
        problem = tags(field, spec.tags);
      } else if (key == "advertise") {
        problem = text("advertise", field, spec.advertise);
      } else {
        problem = named(key, "there is no such field");
      }
      if (!problem.empty()) return std::unexpected(problem);
    }
    if (spec.name.empty()) return std::unexpected(named("name", "missing or empty"));
    const Endpoint anything{IpAddress::v4(127, 0, 0, 1), 1};
    if (const auto endpoint = hosted_endpoint(spec.advertise, anything); !endpoint) {
      return std::unexpected(named("advertise", endpoint.error()));
    }
    return spec;
  }

 private:
  static std::string named(std::string_view field, std::string_view problem) {
    return fmt::format("field {}: {}", go_quote(field), problem);
  }
  static std::string type(const Json& value) { return value.type_name(); }
  static std::string text(std::string_view field, const Json& value, std::string& target) {
    if (!value.is_string()) return named(field, "expected a string, got " + type(value));
    target = value.get<std::string>();
    return "";
  }
  static std::string tags(const Json& value, Tags& target) {
    if (!value.is_object()) return named("tags", "expected an object, got " + type(value));
    for (const auto& [key, tag] : value.items()) {
      if (auto problem = text("tags." + key, tag, target[key]); !problem.empty()) return problem;
    }
    return "";
  }
  const Json& value_;
};

}  // namespace

std::expected<Endpoint, std::string> hosted_endpoint(std::string_view advertise,
                                                     const Endpoint& own) {
  if (advertise.empty()) return own;
  const auto parts = split_with_default(advertise, own.port);
  if (!parts) return std::unexpected(parts.error());
  const auto address = parse_address(parts->host);
  if (!address) return std::unexpected(go_quote(parts->host) + " is not an IP address");
  const auto port = parse_port(parts->port);
  if (!port) return std::unexpected(port.error());
  if (*port == 0) return std::unexpected("port 0 cannot be advertised");
  return Endpoint{*address, *port};
}

std::expected<std::vector<HostedSpec>, std::string> read_hosted_members(const std::string& text) {
  if (auto members = counted(text)) return std::move(*members);
  const auto content = read_text_file(text);
  if (!content) return std::unexpected(content.error());
  const Json array = Json::parse(*content, nullptr, false);
  const auto wrong = [&](std::string_view why) {
    return std::unexpected(fmt::format("{}: {}", text, why));
  };
  if (array.is_discarded()) return wrong("not JSON");
  if (!array.is_array()) return wrong("expected an array of members");
  if (array.size() > hosted_members_max) {
    return wrong(fmt::format("more than {} members", hosted_members_max));
  }
  std::vector<HostedSpec> members;
  std::map<std::string, std::size_t, std::less<>> seen;  // name: element
  for (std::size_t i = 0; i < array.size(); ++i) {
    auto spec = Element(array[i]).read();
    if (!spec) return wrong(fmt::format("element {}, {}", i + 1, spec.error()));
    const auto [other, fresh] = seen.emplace(spec->name, i + 1);
    if (!fresh) {
      return wrong(fmt::format("element {}, field \"name\": {} is the name of element {}, too",
                               i + 1, go_quote(spec->name), other->second));
    }
    members.push_back(std::move(*spec));
  }
  return members;
}

}  // namespace starling::agent
