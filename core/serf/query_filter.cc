#include "core/serf/query_filter.h"

namespace starling {

bool node_filter_matches(const NodeFilter& filter, std::string_view self) {
  bool found = false;
  const bool readable =
      filter.names.for_each([&](Bytes name) { found = found || as_text(name) == self; });
  return readable && found;
}

FilterMatch judge_filters(const BytesList& filters, std::string_view self) {
  FilterMatch match = FilterMatch::yes;
  const bool readable = filters.for_each([&](Bytes filter) {
    if (match == FilterMatch::no) return;
    if (filter.empty()) {
      match = FilterMatch::no;
      return;
    }
    switch (static_cast<FilterKind>(filter.front())) {
      case FilterKind::node: {
        const Decoded<NodeFilter> names = decode_node_filter(filter.subspan(1));
        if (!names || !node_filter_matches(*names, self)) match = FilterMatch::no;
        return;
      }
      case FilterKind::tag:
        match = decode_tag_filter(filter.subspan(1)) ? FilterMatch::by_tags : FilterMatch::no;
        return;
    }
    match = FilterMatch::no;
  });
  return readable ? match : FilterMatch::no;
}

std::optional<std::uint32_t> write_filters(std::span<const std::string_view> names,
                                           std::span<const TagFilter> tags, Writer& out,
                                           MutableBytes scratch) {
  std::uint32_t count = 0;
  const auto add = [&](const Writer& element) {
    msgpack::write_bytes(out, element.written());
    ++count;
    return element.ok() && out.ok();
  };
  if (!names.empty()) {
    Writer element(scratch);
    encode_node_filter(names, element);
    if (!add(element)) return std::nullopt;
  }
  for (const TagFilter& tag : tags) {
    Writer element(scratch);
    encode_tag_filter(tag, element);
    if (!add(element)) return std::nullopt;
  }
  return count;
}

}  // namespace starling
