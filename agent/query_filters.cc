#include "agent/query_filters.h"

#include <re2/re2.h>

#include "core/serf/query_filter.h"

namespace starling::agent {

namespace {

bool matches(const TagFilter& filter, const Tags& tags, std::string* problem) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  const re2::RE2 expression(re2::StringPiece(filter.expression.data(), filter.expression.size()),
                            options);
  if (!expression.ok()) {
    if (problem != nullptr) {
      *problem = "failed to filter query regex (" + std::string(filter.expression) +
                 "): " + expression.error();
    }
    return false;
  }
  const auto tag = tags.find(std::string(filter.tag));
  return re2::RE2::PartialMatch(tag == tags.end() ? std::string() : tag->second, expression);
}

}  // namespace

bool filters_let(const BytesList& filters, std::string_view member, const Tags& tags,
                 std::string* problem) {
  switch (judge_filters(filters, member)) {
    case FilterMatch::no:
      return false;
    case FilterMatch::yes:
      return true;
    case FilterMatch::by_tags:
      break;
  }
  bool let = true;
  const bool readable = for_each_tag_filter(
      filters, [&](const TagFilter& filter) { let = let && matches(filter, tags, problem); });
  return let && readable;
}

}  // namespace starling::agent
