// The JSON that `members` and `info` print: two spaces a level, Go's escapes, keys in Serf's order.
#pragma once

#include <ostream>
#include <string>

#include "agent/rpc_messages.h"

namespace starling::agent::cli {

// A list of members, written one by one as they come.
class MembersJson {
 public:
  explicit MembersJson(std::ostream& out) : out_(out) {}
  void add(const MemberInfo& member);
  // After the last one.
  void finish();

 private:
  std::ostream& out_;
  bool begun_ = false;
};

std::string stats_json(const Stats& stats);

}  // namespace starling::agent::cli
