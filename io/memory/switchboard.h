// Switchboard: who is where in a network of memory ports.
//
// Shared by all its ports; one lock guards everything that more than one of them touches, because a
// network in memory is for tests, drills and swarms, where simple is worth more than fast.
#pragma once

#include <map>
#include <mutex>

#include "wire/base/types.h"

namespace starling::io {

class MemoryPorts;

struct Switchboard {
  std::mutex mutex;
  std::map<Endpoint, MemoryPorts*> ports;  // addresses in the form that unmapped() gives

  // Only while holding the lock. nullptr when nobody is there.
  MemoryPorts* find(const Endpoint& endpoint) const;
};

}  // namespace starling::io
