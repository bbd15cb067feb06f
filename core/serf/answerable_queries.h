// Queries that have reached this node and may still be answered: a ring, newest over oldest.
//
// protocol/serf section 10: one response for each query, before its deadline. The deadline is the
// asker's to choose, so room is not kept until it: a newer query takes the place of the oldest, and
// a peer that sends many cannot hold the table. Owned by one shard, called on its lane.
//
// Bounds: `queries_max` entries with a name of `name_bytes_max` each, from the arena.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/base/arena.h"
#include "core/base/time.h"
#include "wire/base/types.h"

namespace starling {

struct AnswerableQueryLimits {
  std::uint32_t queries_max = 1024;
  std::uint32_t name_bytes_max = 255;
};

struct AnswerableQuery {
  std::uint64_t number = 0;  // its name towards the owner of the engine; from 1 on
  LamportTime time{};
  std::uint32_t id = 0;
  Endpoint origin;  // where answers go
  Instant deadline{};
  std::uint8_t relay_factor = 0;
  bool answered = false;
  bool filtered = false;  // it is not for everybody
  std::uint16_t source_bytes = 0;
};

class AnswerableQueries {
 public:
  AnswerableQueries(Arena& arena, AnswerableQueryLimits limits);
  static std::size_t footprint(AnswerableQueryLimits limits);

  // Notes a query and gives it its number. `source`, who asks, is cut to name_bytes_max: it only
  // labels relayed answers.
  const AnswerableQuery& add(AnswerableQuery query, std::string_view source);
  // nullptr: never seen, or forgotten among newer ones.
  AnswerableQuery* find(std::uint64_t number);
  std::string_view source(const AnswerableQuery& query) const;

 private:
  std::size_t place(std::uint64_t number) const { return number % queries_.size(); }

  std::span<AnswerableQuery> queries_;
  std::span<char> names_;
  std::uint32_t name_bytes_max_;
  std::uint64_t last_ = 0;
};

}  // namespace starling
