// Any text of a configuration file: it is read or refused, with the same verdict when the places of
// faults are wanted, and what was read can be merged and checked.
#include <algorithm>

#include "agent/config_changes.h"
#include "agent/config_file.h"
#include "agent/json_lines.h"
#include "tests/fuzz/fuzz.h"

namespace starling {
namespace {

void check_config(Bytes input) {
  const std::string_view text = as_text(input);
  const auto read = agent::decode_config(text);
  const auto named = agent::decode_config(text, "F");
  CHECK(read.has_value() == named.has_value());
  const agent::JsonLines lines = agent::json_lines(text);
  const auto lines_max = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
  for (const auto& [place, line] : lines) CHECK(line >= 1 && line <= lines_max);
  if (!read) {
    CHECK(!read.error().empty());
    CHECK(named.error().starts_with(read.error()));
    return;
  }
  agent::Config config;
  agent::merge(config, *read);
  std::vector<std::string> warnings;
  static_cast<void>(agent::check(config, warnings));
  // The same once more changes lists and nothing else.
  agent::Config again = config;
  agent::merge(again, *read);
  for (const agent::ConfigChange& change : agent::config_changes(config, again)) {
    CHECK(change.key == "start_join" || change.key == "retry_join" ||
          change.key == "event_handlers" || change.key == "tags" ||
          change.key == "broadcast_timeout" || change.key == "retry_interval");
  }
}

}  // namespace
}  // namespace starling

FUZZ_TARGET(starling::check_config)
