// Queries asked here whose deadline has not passed, and who has answered each.
//
// protocol/serf section 10: acks and responses are each taken once from a member. Serf keeps two
// maps for each query; here all answers share one table of chained entries, keyed by query, kind
// and name, so that memory is bounded however the answers spread. Two names of one hash, one in
// 2^64, count as one member. Owned by one shard, called on its lane.
//
// Bounds: `queries_max` queries, `answers_max` answers to all of them. Cost: find() looks at the
// open queries, note() is O(1), close() is O(answers of the query).
#pragma once

#include <cstdint>
#include <span>

#include "core/base/arena.h"
#include "core/base/hash.h"
#include "core/base/time.h"
#include "wire/base/types.h"

namespace starling {

struct OpenQueryLimits {
  std::uint32_t queries_max = 256;
  std::uint32_t answers_max = 65'536;
};

struct OpenQuery {
  bool used = false;
  bool want_acks = false;
  std::uint32_t id = 0;
  std::uint32_t place = 0;    // in the table; names its timer
  std::uint32_t answers = 0;  // first of its entries + 1
  LamportTime time{};
  std::uint64_t token = 0;  // the command that asked
  Instant deadline{};
};

enum class AnswerKind : std::uint8_t { ack, response };

class OpenQueries {
 public:
  OpenQueries(Arena& arena, OpenQueryLimits limits);
  static std::size_t footprint(OpenQueryLimits limits);

  // `used`, `place` and `answers` are filled in. nullptr: as many are open as may be.
  OpenQuery* open(const OpenQuery& query);
  // The open query of this time; a node asks at most one at a time of its clock.
  OpenQuery* find(LamportTime time);
  OpenQuery& at(std::uint32_t place) { return queries_[place]; }
  void close(OpenQuery& query);
  std::uint32_t size() const { return size_; }
  std::uint32_t capacity() const { return static_cast<std::uint32_t>(queries_.size()); }

  enum class Verdict : std::uint8_t { fresh, duplicate, no_space };
  Verdict note(OpenQuery& query, AnswerKind kind, NameHash from);

 private:
  struct Answer {
    std::uint64_t key;
    std::uint32_t next;           // in its bucket, or among the free ones; entry + 1
    std::uint32_t next_of_query;  // entry + 1
    std::uint32_t place;          // whose it is
  };
  std::size_t bucket(std::uint64_t key) const { return key & (buckets_.size() - 1); }
  void unlink(std::uint32_t entry);

  std::span<OpenQuery> queries_;
  std::span<Answer> answers_;
  std::span<std::uint32_t> buckets_;  // first entry + 1
  std::uint32_t free_ = 0;            // entry + 1: given back
  std::uint32_t fresh_ = 0;           // entries from here on were never used
  std::uint32_t size_ = 0;
  std::uint32_t end_ = 0;  // one past the highest place in use
};

}  // namespace starling
