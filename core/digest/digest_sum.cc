#include "core/digest/digest_sum.h"

#include <algorithm>

namespace starling {

namespace {

// A copy of all cells takes some 100 microseconds, a row's change less than one.
constexpr int copies_max = 4;

}  // namespace

Root DigestSum::root() const {
  Root sum;
  for (const DigestTable* table : tables_) {
    const Root one = table->root();
    sum.sum += one.sum;
    sum.count += one.count;
  }
  return sum;
}

std::uint64_t DigestSum::sum(Bucket first, std::uint32_t buckets) const {
  std::uint64_t total = 0;
  for (const DigestTable* table : tables_) total += table->sum(first, buckets);
  return total;
}

template <class Number>
void DigestSum::fold_to(std::uint32_t log2, std::uint32_t first_group, std::uint32_t shift,
                        std::span<Number> out) const {
  CHECK(log2 <= bucket_bits && first_group + out.size() <= std::size_t{1} << log2);
  const std::uint32_t group = 1U << (bucket_bits - log2);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto first = static_cast<std::uint16_t>((first_group + i) * group);
    out[i] = static_cast<Number>(sum(Bucket{first}, group) >> shift);
  }
}

void DigestSum::fold(std::uint32_t log2, std::uint32_t first_group, std::uint32_t byte,
                     std::span<std::uint8_t> out) const {
  CHECK(byte < 8);
  fold_to(log2, first_group, 8 * byte, out);
}

void DigestSum::fold(std::uint32_t log2, std::uint32_t first_group,
                     std::span<std::uint16_t> out) const {
  fold_to(log2, first_group, 0, out);
}

Root DigestSum::copy_cells(std::uint32_t first, std::span<Cell> out) const {
  Root root;
  for (int copies = 0; copies < copies_max; ++copies) {
    std::ranges::fill(out, Cell{});
    root = {};
    bool whole = true;
    for (const DigestTable* table : tables_) whole &= table->add_cells(first, out, root);
    if (whole) break;
  }
  return root;
}

}  // namespace starling
