// DigestSum: what the digest tables of a node's lanes add up to, read while the lanes change them.
//
// The root, the sums of buckets and the cells of the union of all rows, as if one table held them
// (digest_table.h). Nothing is stored: each call reads the tables. Numbers of different lanes may
// be of different instants, which is as if the one lane's change had come a little earlier; the
// cells of one lane are of one instant. With one lane it is that lane's table. A value; any lane's
// thread.
#pragma once

#include "core/digest/digest_table.h"

namespace starling {

class DigestSum {
 public:
  // At least one; the same key and number of cells. The span and the tables must stay.
  explicit DigestSum(std::span<const DigestTable* const> tables) : tables_(tables) {
    CHECK(!tables.empty());
  }

  const DigestKey& key() const { return tables_.front()->key(); }
  Root root() const;
  std::uint32_t count() const { return root().count; }
  // Sum of the weights in `buckets` buckets from `first` on.
  std::uint64_t sum(Bucket first, std::uint32_t buckets) const;

  // One byte, or the lowest 16 bits, of the sums of 2^log2 groups of buckets, log2 from 0 to 12:
  // out.size() of them, from `first_group` on. `byte`: 0 the lowest, 7 the highest.
  void fold(std::uint32_t log2, std::uint32_t first_group, std::uint32_t byte,
            std::span<std::uint8_t> out) const;
  void fold(std::uint32_t log2, std::uint32_t first_group, std::span<std::uint16_t> out) const;

  // How many cells there are.
  std::uint32_t cells() const { return tables_.front()->cells_held(); }
  // The cells from `first` on, and the root of the rows that they are of. Lanes whose rows change
  // all the time may make them useless; the peer's decoder then finds a contradiction, or nothing.
  Root copy_cells(std::uint32_t first, std::span<Cell> out) const;

 private:
  template <class Number>
  void fold_to(std::uint32_t log2, std::uint32_t first_group, std::uint32_t shift,
               std::span<Number> out) const;

  std::span<const DigestTable* const> tables_;
};

}  // namespace starling
