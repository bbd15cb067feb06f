// Which events a handler or an RPC stream wants, and the handler specifications of the command
// line.
//
// protocol/serf sections 16.4 and 17. Values; any thread.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace starling::agent {

// One element of a filter list: "*", a member event, "user", "query", "user:NAME" or "query:NAME".
struct EventFilter {
  std::string kind = "*";
  std::string name;  // only of user events and queries; empty: any

  bool valid() const;
  // `event_kind` is Serf's word for the event, `event_name` the name of a user event or query.
  bool matches(std::string_view event_kind, std::string_view event_name) const;
  friend bool operator==(const EventFilter&, const EventFilter&) = default;
};

// A comma list; the empty text means every event. Elements are not trimmed and not checked.
std::vector<EventFilter> parse_event_filters(std::string_view text);

// A command to run for the events of one filter.
struct EventScript {
  EventFilter filter;
  std::string command;
  friend bool operator==(const EventScript&, const EventScript&) = default;
};

// "FILTERS=COMMAND", split at the first '=', or only a command. A list of filters gives as many
// scripts. The error is Serf's, e.g. "Invalid event script: Event 'K' invoking 'C'".
std::expected<std::vector<EventScript>, std::string> parse_event_script(std::string_view text);

}  // namespace starling::agent
