// Filters of a query by tags: RE2 expressions, searched for anywhere in the value.
//
// protocol/serf section 4: the expression is not anchored, and a tag that a member lacks counts as
// empty. What does not compile matches nobody. Pure functions; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "agent/member_info.h"
#include "wire/serf_messages.h"

namespace starling::agent {

// All filters of a query for a member. `problem`, if given, is set to Serf's words about an
// expression that does not compile.
bool filters_let(const BytesList& filters, std::string_view member, const Tags& tags,
                 std::string* problem = nullptr);

}  // namespace starling::agent
