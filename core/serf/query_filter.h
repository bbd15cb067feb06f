// Which nodes a query is for.
//
// protocol/serf section 4. A query that a filter keeps from this node is still re-broadcast.
// Filters by name are judged here; those by tags hold regular expressions, which the owner of the
// engine judges (the agent, with RE2). Pure functions; any thread.
#pragma once

#include <optional>
#include <span>

#include "wire/serf_messages.h"

namespace starling {

// The first byte of an element of Query::filters. Only append: the numbers are the protocol.
enum class FilterKind : std::uint8_t { node = 0, tag = 1 };

enum class FilterMatch : std::uint8_t {
  no,
  yes,
  by_tags,  // nothing but filters by tags may keep the query from the member
};

// True if the node may handle the query: its own name is in the list.
bool node_filter_matches(const NodeFilter& filter, std::string_view self);

// All filters of a query for the member `self`. What cannot be decoded matches nobody.
FilterMatch judge_filters(const BytesList& filters, std::string_view self);

// Calls on_tag(const TagFilter&) for each filter by tags; false when one cannot be decoded.
template <class OnTag>
bool for_each_tag_filter(const BytesList& filters, OnTag&& on_tag) {
  bool decoded = true;
  const bool readable = filters.for_each([&](Bytes filter) {
    if (filter.empty() || static_cast<FilterKind>(filter.front()) != FilterKind::tag) return;
    const Decoded<TagFilter> tag = decode_tag_filter(filter.subspan(1));
    if (tag) {
      on_tag(*tag);
    } else {
      decoded = false;
    }
  });
  return readable && decoded;
}

// Writes the elements of Query::filters as Serf does: one for all names, if there are any, then one
// for each tag. Returns how many; nullopt when `out` or `scratch`, which takes one element, is too
// small.
std::optional<std::uint32_t> write_filters(std::span<const std::string_view> names,
                                           std::span<const TagFilter> tags, Writer& out,
                                           MutableBytes scratch);

}  // namespace starling
