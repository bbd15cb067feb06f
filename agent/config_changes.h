// What differs between two configurations, for the log of a reload.
//
// protocol/serf section 16.2: a reload takes over the log level, event handlers, tags,
// leave_on_terminate and skip_leave_on_interrupt. Everything else needs a start. Secrets are named
// but not shown. Pure function.
#pragma once

#include <string>
#include <vector>

#include "agent/config.h"

namespace starling::agent {

struct ConfigChange {
  std::string key;
  std::string before, after;
  bool reloads = false;  // takes effect now
};
// "log_level: INFO -> DEBUG", or the same with what has to be done for it.
std::string to_text(const ConfigChange& change);

// In the order of keys.
std::vector<ConfigChange> config_changes(const Config& before, const Config& after);

}  // namespace starling::agent
