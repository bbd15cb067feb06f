#include "core/digest/digest_table.h"

namespace starling {

namespace {

// Symbols whose cells are walked in step: each walk is a chain of slow divisions and square roots,
// and several chains fill the time that one of them waits.
constexpr std::size_t in_step = 4;

struct Signed {
  Symbol symbol{};
  Sign sign = Sign::in;
};

template <std::size_t count>
void accumulate_in_step(const DigestKey& key, const std::array<Signed, count>& symbols,
                        std::span<Cell> cells) {
  struct Walker {
    CellWalk walk;
    std::uint64_t symbol;
    std::uint32_t check;
    std::int32_t sign;
  };
  const auto walker = [&](const Signed& put) {
    const std::uint64_t hash = key.hash(put.symbol);
    return Walker{CellWalk(hash), to_number(put.symbol), check_of(hash),
                  static_cast<std::int32_t>(put.sign)};
  };
  std::array<Walker, count> walkers = [&]<std::size_t... i>(std::index_sequence<i...>) {
    return std::array<Walker, count>{walker(symbols[i])...};
  }
  (std::make_index_sequence<count>());
  for (bool any = true; any;) {
    any = false;
    for (Walker& one : walkers) {
      if (one.walk.cell() >= cells.size()) continue;
      Cell& cell = cells[one.walk.cell()];
      cell.sum ^= one.symbol;
      cell.check ^= one.check;
      cell.count += one.sign;
      one.walk.next();
      any = true;
    }
  }
}

}  // namespace

DigestTable::DigestTable(Arena& arena, const DigestKey& key, std::uint32_t cells)
    : key_(key),
      leaves_(arena.make_zeroed<Leaf>(bucket_count)),
      cells_(arena.make_zeroed<Cell>(cells)) {
  CHECK(cells <= cells_most);
}

std::size_t DigestTable::footprint(std::uint32_t cells) {
  Footprint sum;
  sum.make_zeroed<Leaf>(bucket_count);
  sum.make_zeroed<Cell>(cells);
  return sum.total();
}

void DigestTable::add_to_leaf(const Mark& mark) {
  Leaf& leaf = leaves_[to_number(bucket_of(mark.symbol))];
  leaf.sum += mark.weight;
  ++leaf.count;
  root_.sum += mark.weight;
  ++root_.count;
}

void DigestTable::remove_from_leaf(const Mark& mark) {
  Leaf& leaf = leaves_[to_number(bucket_of(mark.symbol))];
  DCHECK(leaf.count > 0);
  leaf.sum -= mark.weight;
  --leaf.count;
  root_.sum -= mark.weight;
  --root_.count;
}

void DigestTable::add(const Mark& mark) {
  add_to_leaf(mark);
  if (!cells_.empty()) accumulate(key_, mark.symbol, Sign::in, 0, cells_);
}

void DigestTable::remove(const Mark& mark) {
  remove_from_leaf(mark);
  if (!cells_.empty()) accumulate(key_, mark.symbol, Sign::out, 0, cells_);
}

void DigestTable::replace(const Mark& before, const Mark& after) {
  if (before == after) return;
  remove_from_leaf(before);
  add_to_leaf(after);
  if (cells_.empty()) return;
  accumulate_in_step<2>(key_, {{{before.symbol, Sign::out}, {after.symbol, Sign::in}}}, cells_);
}

void DigestTable::add_all(std::span<const Mark> marks) {
  for (const Mark& mark : marks) add_to_leaf(mark);
  if (cells_.empty()) return;
  for (; marks.size() >= in_step; marks = marks.subspan(in_step)) {
    std::array<Signed, in_step> symbols;
    for (std::size_t i = 0; i < in_step; ++i) symbols[i].symbol = marks[i].symbol;
    accumulate_in_step(key_, symbols, cells_);
  }
  for (const Mark& mark : marks) accumulate(key_, mark.symbol, Sign::in, 0, cells_);
}

void DigestTable::add_table(const DigestTable& other) {
  CHECK(cells_.size() == other.cells_.size());
  for (std::size_t i = 0; i < leaves_.size(); ++i) {
    leaves_[i].sum += other.leaves_[i].sum;
    leaves_[i].count += other.leaves_[i].count;
  }
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    cells_[i].sum ^= other.cells_[i].sum;
    cells_[i].check ^= other.cells_[i].check;
    cells_[i].count += other.cells_[i].count;
  }
  root_.sum += other.root_.sum;
  root_.count += other.root_.count;
}

void DigestTable::clear() {
  std::ranges::fill(leaves_, Leaf{});
  std::ranges::fill(cells_, Cell{});
  root_ = {};
}

void DigestTable::rekey(const DigestKey& key) {
  key_ = key;
  clear();
}

std::uint64_t DigestTable::sum(Bucket first, std::uint32_t buckets) const {
  std::uint64_t total = 0;
  for (const Leaf& leaf : leaves_.subspan(to_number(first), buckets)) total += leaf.sum;
  return total;
}

template <class Number>
void DigestTable::fold_to(std::uint32_t log2, std::uint32_t first_group, std::uint32_t shift,
                          std::span<Number> out) const {
  CHECK(log2 <= bucket_bits && first_group + out.size() <= std::size_t{1} << log2);
  const std::uint32_t group = 1U << (bucket_bits - log2);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto first = static_cast<std::uint16_t>((first_group + i) * group);
    out[i] = static_cast<Number>(sum(Bucket{first}, group) >> shift);
  }
}

void DigestTable::fold(std::uint32_t log2, std::uint32_t first_group, std::uint32_t byte,
                       std::span<std::uint8_t> out) const {
  CHECK(byte < 8);
  fold_to(log2, first_group, 8 * byte, out);
}

void DigestTable::fold(std::uint32_t log2, std::uint32_t first_group,
                       std::span<std::uint16_t> out) const {
  fold_to(log2, first_group, 0, out);
}

}  // namespace starling
