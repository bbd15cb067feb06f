// Which members a members-filtered request wants. protocol/serf section 17.
//
// Each expression is anchored as ^EXPR$ without a group, as Serf does: `a|b` means `^a|b$`. RE2
// takes linear time whatever the expression. One filter is for one walk over the members.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/member_info.h"
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

  // Equal tags are looked at once, as long as they are the same bytes in memory.
  bool matches(const MemberView& member);

 private:
  struct Judged {
    const char* tags = nullptr;
    bool match = false;
  };
  MemberFilter();
  bool match_tags(std::string_view encoded) const;

  std::array<Judged, 256> judged_;    // by address; who falls on another's place replaces it
  std::unique_ptr<re2::RE2> name_;    // null: any
  std::unique_ptr<re2::RE2> status_;  // null: any
  std::vector<std::pair<std::string, std::unique_ptr<re2::RE2>>> tags_;
};

}  // namespace starling::agent
