#include "core/serf/answerable_queries.h"

#include <algorithm>

#include "wire/base/check.h"

namespace starling {

std::size_t AnswerableQueries::footprint(AnswerableQueryLimits limits) {
  Footprint footprint;
  footprint.make_zeroed<AnswerableQuery>(limits.queries_max);
  footprint.make<char>(std::size_t{limits.queries_max} * limits.name_bytes_max);
  return footprint.total();
}

AnswerableQueries::AnswerableQueries(Arena& arena, AnswerableQueryLimits limits)
    : name_bytes_max_(limits.name_bytes_max) {
  CHECK(limits.queries_max > 0);
  queries_ = arena.make_zeroed<AnswerableQuery>(limits.queries_max);
  names_ = arena.make<char>(std::size_t{limits.queries_max} * limits.name_bytes_max);
}

const AnswerableQuery& AnswerableQueries::add(AnswerableQuery query, std::string_view source) {
  query.number = ++last_;
  query.answered = false;
  const std::string_view kept = source.substr(0, name_bytes_max_);
  query.source_bytes = static_cast<std::uint16_t>(kept.size());
  const std::size_t at = place(query.number);
  kept.copy(names_.data() + at * name_bytes_max_, kept.size());
  queries_[at] = query;
  return queries_[at];
}

AnswerableQuery* AnswerableQueries::find(std::uint64_t number) {
  AnswerableQuery& query = queries_[place(number)];
  return number != 0 && query.number == number ? &query : nullptr;
}

std::string_view AnswerableQueries::source(const AnswerableQuery& query) const {
  return {names_.data() + place(query.number) * name_bytes_max_, query.source_bytes};
}

}  // namespace starling
