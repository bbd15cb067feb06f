// An event as handlers see it, and what a script is given: environment and standard input.
//
// protocol/serf section 16.4. Owning values, so that an event can wait for its turn; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/member_info.h"
#include "core/base/time.h"
#include "core/serf/member_event.h"

namespace starling::agent {

// Our own name and tags at the time of the event.
struct HandlerSelf {
  std::string name;
  Tags tags;
};

struct HandlerEvent {
  enum class Kind : std::uint8_t { member, user, query };
  Kind kind = Kind::member;

  // member
  MemberEventKind change = MemberEventKind::join;
  std::vector<MemberInfo> members;

  // user, query
  std::string name;
  LamportTime time{};
  std::string payload;

  // query: how the agent finds it again to answer it, and until when it may
  std::uint64_t query = 0;
  Instant deadline{};

  // Serf's word: "member-join" and so on, "user" or "query".
  std::string_view kind_text() const;
};

// NAME=VALUE texts to add to the agent's own environment.
std::vector<std::string> handler_environment(const HandlerEvent& event, const HandlerSelf& self);

// What the script reads: a line per member, or the payload.
std::string handler_input(const HandlerEvent& event);

}  // namespace starling::agent
