// Which members a members-filtered request wants. protocol/serf section 17.
//
// Each expression is anchored as ^EXPR$ without a group, as Serf does: `a|b` means `^a|b$`. RE2
// takes linear time whatever the expression.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/rpc_messages.h"

namespace re2 {
class RE2;
}

namespace starling::agent {

class MemberFilter {
 public:
  // nullopt when an expression is not valid.
  static std::optional<MemberFilter> from(const MembersFilteredRequest& request);
  ~MemberFilter();
  MemberFilter(MemberFilter&&) noexcept;
  MemberFilter& operator=(MemberFilter&&) noexcept;

  bool matches(const MemberInfo& member) const;

 private:
  MemberFilter();
  std::unique_ptr<re2::RE2> name_;    // null: any
  std::unique_ptr<re2::RE2> status_;  // null: any
  std::vector<std::pair<std::string, std::unique_ptr<re2::RE2>>> tags_;
};

}  // namespace starling::agent
