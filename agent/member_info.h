// A member as handlers, RPC clients and the command line see it: an owning copy of a row.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "wire/base/types.h"

namespace starling::agent {

using Tags = std::map<std::string, std::string>;

struct MemberInfo {
  std::string name;
  IpAddress address;
  std::uint16_t port = 0;
  Tags tags;
  std::string status;  // Serf's word: none, alive, leaving, left, failed
  Versions versions;
  friend bool operator==(const MemberInfo&, const MemberInfo&) = default;
};

}  // namespace starling::agent
