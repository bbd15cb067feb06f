#include "core/serf/open_queries.h"

#include <bit>

#include "wire/base/check.h"

namespace starling {

namespace {

// Spreads place and kind over the hash, so that one member's answers lie in different buckets.
std::uint64_t key_of(const OpenQuery& query, AnswerKind kind, NameHash from) {
  const std::uint64_t salt = std::uint64_t{query.place} * 2 + static_cast<std::uint64_t>(kind) + 1;
  return static_cast<std::uint64_t>(from) ^ (salt * 0x9e37'79b9'7f4a'7c15);
}

std::size_t buckets_of(OpenQueryLimits limits) {
  return std::bit_ceil(std::size_t{limits.answers_max});
}

}  // namespace

std::size_t OpenQueries::footprint(OpenQueryLimits limits) {
  Footprint footprint;
  footprint.make_zeroed<OpenQuery>(limits.queries_max);
  footprint.make<Answer>(limits.answers_max);
  footprint.make_zeroed<std::uint32_t>(buckets_of(limits));
  return footprint.total();
}

OpenQueries::OpenQueries(Arena& arena, OpenQueryLimits limits) {
  CHECK(limits.queries_max > 0 && limits.answers_max > 0);
  queries_ = arena.make_zeroed<OpenQuery>(limits.queries_max);
  answers_ = arena.make<Answer>(limits.answers_max);
  buckets_ = arena.make_zeroed<std::uint32_t>(buckets_of(limits));
}

OpenQuery* OpenQueries::open(const OpenQuery& query) {
  for (std::uint32_t place = 0; place < queries_.size(); ++place) {
    OpenQuery& free = queries_[place];
    if (free.used) continue;
    free = query;
    free.used = true;
    free.place = place;
    free.answers = 0;
    ++size_;
    end_ = std::max(end_, place + 1);
    return &free;
  }
  return nullptr;
}

OpenQuery* OpenQueries::find(LamportTime time) {
  for (OpenQuery& query : queries_.first(end_)) {
    if (query.used && query.time == time) return &query;
  }
  return nullptr;
}

OpenQueries::Verdict OpenQueries::note(OpenQuery& query, AnswerKind kind, NameHash from) {
  const std::uint64_t key = key_of(query, kind, from);
  std::uint32_t& first = buckets_[bucket(key)];
  for (std::uint32_t at = first; at != 0; at = answers_[at - 1].next) {
    const Answer& answer = answers_[at - 1];
    if (answer.key == key && answer.place == query.place) return Verdict::duplicate;
  }
  if (free_ == 0 && fresh_ == answers_.size()) return Verdict::no_space;
  const std::uint32_t entry = free_ != 0 ? free_ : ++fresh_;
  Answer& answer = answers_[entry - 1];
  if (free_ != 0) free_ = answer.next;
  answer = {.key = key, .next = first, .next_of_query = query.answers, .place = query.place};
  first = entry;
  query.answers = entry;
  return Verdict::fresh;
}

void OpenQueries::unlink(std::uint32_t entry) {
  std::uint32_t* link = &buckets_[bucket(answers_[entry - 1].key)];
  while (*link != entry) link = &answers_[*link - 1].next;
  *link = answers_[entry - 1].next;
}

void OpenQueries::close(OpenQuery& query) {
  CHECK(query.used);
  for (std::uint32_t at = query.answers; at != 0;) {
    Answer& answer = answers_[at - 1];
    unlink(at);
    answer.next = free_;
    free_ = at;
    at = answer.next_of_query;
  }
  query = {};
  --size_;
  while (end_ > 0 && !queries_[end_ - 1].used) --end_;
}

}  // namespace starling
