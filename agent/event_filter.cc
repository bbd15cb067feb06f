#include "agent/event_filter.h"

#include <algorithm>
#include <array>

namespace starling::agent {

namespace {

constexpr std::array<std::string_view, 8> kinds = {
    "member-join", "member-leave", "member-failed", "member-update",
    "member-reap", "user",         "query",         "*"};

EventFilter parse_one(std::string_view text) {
  for (const std::string_view kind : {"user", "query"}) {
    if (text.size() > kind.size() && text.starts_with(kind) && text[kind.size()] == ':') {
      return {std::string(kind), std::string(text.substr(kind.size() + 1))};
    }
  }
  return {std::string(text), ""};
}

}  // namespace

bool EventFilter::valid() const {
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

bool EventFilter::matches(std::string_view event_kind, std::string_view event_name) const {
  if (kind == "*") return true;
  return kind == event_kind && (name.empty() || name == event_name);
}

std::vector<EventFilter> parse_event_filters(std::string_view text) {
  if (text.empty()) return {EventFilter{}};
  std::vector<EventFilter> filters;
  std::size_t start = 0;
  while (true) {
    const std::size_t comma = text.find(',', start);
    filters.push_back(parse_one(text.substr(start, comma - start)));
    if (comma == std::string_view::npos) return filters;
    start = comma + 1;
  }
}

std::expected<std::vector<EventScript>, std::string> parse_event_script(std::string_view text) {
  const std::size_t equals = text.find('=');
  const bool filtered = equals != std::string_view::npos;
  const std::string command(filtered ? text.substr(equals + 1) : text);
  std::vector<EventScript> scripts;
  for (EventFilter& filter : parse_event_filters(filtered ? text.substr(0, equals) : "")) {
    if (!filter.valid()) {
      return std::unexpected("Invalid event script: Event '" + filter.kind + "' invoking '" +
                             command + "'");
    }
    scripts.push_back({std::move(filter), command});
  }
  return scripts;
}

}  // namespace starling::agent
