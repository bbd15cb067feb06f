// DigestTable: what a set of member rows adds up to, kept while rows come and go.
//
// For each of the 4096 buckets the sum of its rows' weights modulo 2^64 and their number; beside
// that a prefix of the rateless cells of the rows' symbols (rateless.h). Two tables with the same
// rows are equal; sums and cells of several tables add up to those of the union, so each lane may
// keep its own. Sums, not exclusive ors: a sum does not forget what is in it twice. The weights are
// keyed (symbol.h). Owned by one shard, used by its thread.
#pragma once

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

  const DigestKey& key() const { return key_; }

  void add(const Mark& mark);
  // The mark must have been added.
  void remove(const Mark& mark);
  void replace(const Mark& before, const Mark& after);
  // Faster than one by one where there are cells.
  void add_all(std::span<const Mark> marks);
  // Takes in all rows of another table with the same key and number of cells.
  void add_table(const DigestTable& other);
  void clear();
  // Another key makes other marks of the same rows: empties the table.
  void rekey(const DigestKey& key);

  Root root() const { return root_; }
  std::uint32_t count() const { return root_.count; }
  std::uint32_t count(Bucket bucket) const { return leaves_[to_number(bucket)].count; }
  // Sum of the weights in `buckets` buckets from `first` on.
  std::uint64_t sum(Bucket first, std::uint32_t buckets) const;

  // One byte, or the lowest 16 bits, of the sums of 2^log2 groups of buckets, log2 from 0 to 12:
  // out.size() of them, from `first_group` on. `byte`: 0 the lowest, 7 the highest.
  void fold(std::uint32_t log2, std::uint32_t first_group, std::uint32_t byte,
            std::span<std::uint8_t> out) const;
  void fold(std::uint32_t log2, std::uint32_t first_group, std::span<std::uint16_t> out) const;

  std::span<const Cell> cells() const { return cells_; }

 private:
  struct Leaf {
    std::uint64_t sum = 0;
    std::uint32_t count = 0;
  };

  void add_to_leaf(const Mark& mark);
  void remove_from_leaf(const Mark& mark);
  template <class Number>
  void fold_to(std::uint32_t log2, std::uint32_t first_group, std::uint32_t shift,
               std::span<Number> out) const;

  DigestKey key_;
  std::span<Leaf> leaves_;
  std::span<Cell> cells_;
  Root root_;
};

}  // namespace starling
