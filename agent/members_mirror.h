// The member list as the control thread knows it: a copy kept from the engine's member events.
//
// Every member event carries the whole row, so the mirror needs no other source. Owned by the
// agent, used by the control thread only. Bounded by the engine's member table.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/member_info.h"
#include "core/shard/events.h"

namespace starling::agent {

// An owning copy of the row of a member event.
MemberInfo member_of(const Event& event);
// Serf's word for a status.
std::string_view status_text(MemberStatus status);

class MembersMirror {
 public:
  // Takes an event of kind member: a reap removes the row, everything else replaces it.
  void apply(const Event& event);

  const MemberInfo* find(std::string_view name) const;
  // By name.
  const std::map<std::string, MemberInfo, std::less<>>& members() const { return members_; }

 private:
  std::map<std::string, MemberInfo, std::less<>> members_;
};

}  // namespace starling::agent
