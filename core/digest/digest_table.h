// DigestTable: what a set of member rows adds up to, kept while rows come and go.
//
// For each of the 4096 buckets the sum of its rows' weights modulo 2^64 and their number; beside
// that a prefix of the rateless cells of the rows' symbols (rateless.h). Two tables with the same
// rows are equal; sums and cells of several tables add up to those of the union, so each lane keeps
// its own (digest_sum.h adds them). Sums, not exclusive ors: a sum does not forget what is in it
// twice. The weights are keyed (symbol.h). Owned by one shard and changed by its thread alone; what
// is marked "any thread" the other lanes of the node may call meanwhile.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "core/base/arena.h"
#include "core/digest/rateless.h"
#include "core/digest/symbol.h"

namespace starling {

// Where a table stands. Equal roots and counts: equal rows, but for one chance in 2^64.
struct Root {
  std::uint64_t sum = 0;
  std::uint32_t count = 0;
  friend bool operator==(const Root&, const Root&) = default;
};

class DigestTable {
 public:
  // 65536 cells tell tables apart that differ in about 24000 rows.
  static constexpr std::uint32_t cells_most = 65'536;

  // `cells`: length of the prefix, 0 to cells_most. A row's change costs about 15 of them, whatever
  // the length.
  DigestTable(Arena& arena, const DigestKey& key, std::uint32_t cells);
  static std::size_t footprint(std::uint32_t cells);
  DigestTable(const DigestTable&) = delete;
  DigestTable& operator=(const DigestTable&) = delete;

  const DigestKey& key() const { return key_; }

  void add(const Mark& mark);
  // The mark must have been added.
  void remove(const Mark& mark);
  void replace(const Mark& before, const Mark& after);
  // Faster than one by one where there are cells.
  void add_all(std::span<const Mark> marks);
  void clear();
  // Another key makes other marks of the same rows: empties the table.
  void rekey(const DigestKey& key);

  // Any thread. The two halves may be of different instants while a row changes.
  Root root() const {
    // Each pairs with the release store in put_root().
    return {root_sum_.load(std::memory_order_acquire), root_count_.load(std::memory_order_acquire)};
  }
  std::uint32_t count() const { return root().count; }
  std::uint32_t count(Bucket bucket) const { return leaves_[to_number(bucket)].count; }
  // Any thread. Sum of the weights in `buckets` buckets from `first` on.
  std::uint64_t sum(Bucket first, std::uint32_t buckets) const;

  std::span<const Cell> cells() const { return cells_; }
  // Any thread: how many.
  std::uint32_t cells_held() const { return static_cast<std::uint32_t>(cells_.size()); }
  // Any thread. Adds the cells from `first` on to `out`, and where the table stands to `root`.
  // False: a row changed meanwhile, so what was added may be of no instant at all.
  bool add_cells(std::uint32_t first, std::span<Cell> out, Root& root) const;

 private:
  struct Leaf {
    std::uint64_t sum = 0;
    std::uint32_t count = 0;
  };

  // While one lives the table is between two states; readers of several words notice.
  class Change;

  void put_root(const Root& root) {
    // Each pairs with the acquire load in root().
    root_sum_.store(root.sum, std::memory_order_release);
    root_count_.store(root.count, std::memory_order_release);
  }
  void add_to_leaf(const Mark& mark);
  void remove_from_leaf(const Mark& mark);

  DigestKey key_;
  std::span<Leaf> leaves_;
  std::span<Cell> cells_;
  std::atomic<std::uint64_t> root_sum_{0};
  std::atomic<std::uint32_t> root_count_{0};
  // Odd while a row changes; see digest_table.cc.
  std::atomic<std::uint32_t> version_{0};
};

}  // namespace starling
