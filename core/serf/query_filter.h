// Which nodes a query is for: the filters that need nothing but the name.
//
// protocol/serf section 4. A query that a filter keeps from this node is still re-broadcast. Tag
// filters hold regular expressions and are evaluated by the agent. Pure functions; any thread.
#pragma once

#include "wire/serf_messages.h"

namespace starling {

// The first byte of an element of Query::filters. Only append: the numbers are the protocol.
enum class FilterKind : std::uint8_t { node = 0, tag = 1 };

// True if the node may handle the query: its own name is in the list.
bool node_filter_matches(const NodeFilter& filter, std::string_view self);

}  // namespace starling
