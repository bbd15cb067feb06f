// The JSON that `members`, `info` and `query` print: two spaces a level, Go's escapes, keys in
// Serf's order.
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "agent/rpc_messages.h"

namespace starling::agent::cli {

// A list of members, written one by one as they come.
class MembersJson {
 public:
  explicit MembersJson(std::ostream& out) : out_(out) {}
  void add(const MemberInfo& member);
  // After the last one, or where the list broke off: with the key "error" then.
  void finish(std::string_view error = {});

 private:
  std::ostream& out_;
  bool begun_ = false;
};

std::string stats_json(const Stats& stats);

// What a query brought: acks in the order in which they came.
struct QueryAnswers {
  std::vector<std::string> acks;
  Tags responses;  // payload by member
};
std::string query_json(const QueryAnswers& answers);

}  // namespace starling::agent::cli
