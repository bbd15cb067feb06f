// A member as handlers, RPC clients and the command line see it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "wire/base/types.h"

namespace starling::agent {

using Tags = std::map<std::string, std::string>;

// An owning copy of a row.
struct MemberInfo {
  std::string name;
  IpAddress address;
  std::uint16_t port = 0;
  Tags tags;
  std::string status;  // Serf's word: none, alive, leaving, left, failed
  Versions versions;
  friend bool operator==(const MemberInfo&, const MemberInfo&) = default;
};

// A row where it lies, with its tags encoded as RPC answers carry them (tag_sets.h).
struct MemberView {
  std::string_view name;
  Endpoint endpoint;
  MemberStatus status = MemberStatus::none;
  Versions versions;
  std::string_view tags;
};

}  // namespace starling::agent
