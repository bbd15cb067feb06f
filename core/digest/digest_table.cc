#include "core/digest/digest_table.h"

namespace starling {

namespace {

// Symbols whose cells are walked in step: each walk is a chain of slow divisions and square roots,
// and several chains fill the time that one of them waits.
constexpr std::size_t in_step = 4;

// Only the table's owner writes. It stores each word with release, after it has made the version
// odd; who reads a new word with acquire therefore sees an odd or a later version afterwards. The
// owner itself reads what it wrote as it is.
template <class Word>
void put(Word& place, Word value) {
  // Pairs with the acquire load in get().
  std::atomic_ref(place).store(value, std::memory_order_release);
}
template <class Word>
Word get(Word& place) {
  // Pairs with the release store in put().
  return std::atomic_ref(place).load(std::memory_order_acquire);
}

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
      put(cell.sum, cell.sum ^ one.symbol);
      put(cell.check, cell.check ^ one.check);
      put(cell.count, cell.count + one.sign);
      one.walk.next();
      any = true;
    }
  }
}

}  // namespace

class DigestTable::Change {
 public:
  explicit Change(DigestTable& table)
      : table_(table), version_(table.version_.load(std::memory_order_relaxed)) {
    // Seen by whoever sees a word that put() stores after this.
    table_.version_.store(version_ + 1, std::memory_order_relaxed);
  }
  // Pairs with the first acquire load in add_cells().
  ~Change() { table_.version_.store(version_ + 2, std::memory_order_release); }
  Change(const Change&) = delete;
  Change& operator=(const Change&) = delete;

 private:
  DigestTable& table_;
  std::uint32_t version_;
};

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
  put(leaf.sum, leaf.sum + mark.weight);
  ++leaf.count;
  const Root before = root();
  put_root({before.sum + mark.weight, before.count + 1});
}

void DigestTable::remove_from_leaf(const Mark& mark) {
  Leaf& leaf = leaves_[to_number(bucket_of(mark.symbol))];
  DCHECK(leaf.count > 0);
  put(leaf.sum, leaf.sum - mark.weight);
  --leaf.count;
  const Root before = root();
  put_root({before.sum - mark.weight, before.count - 1});
}

void DigestTable::add(const Mark& mark) {
  const Change change(*this);
  add_to_leaf(mark);
  if (!cells_.empty()) accumulate_in_step<1>(key_, {{{mark.symbol, Sign::in}}}, cells_);
}

void DigestTable::remove(const Mark& mark) {
  const Change change(*this);
  remove_from_leaf(mark);
  if (!cells_.empty()) accumulate_in_step<1>(key_, {{{mark.symbol, Sign::out}}}, cells_);
}

void DigestTable::replace(const Mark& before, const Mark& after) {
  if (before == after) return;
  const Change change(*this);
  remove_from_leaf(before);
  add_to_leaf(after);
  if (cells_.empty()) return;
  accumulate_in_step<2>(key_, {{{before.symbol, Sign::out}, {after.symbol, Sign::in}}}, cells_);
}

void DigestTable::add_all(std::span<const Mark> marks) {
  const Change change(*this);
  for (const Mark& mark : marks) add_to_leaf(mark);
  if (cells_.empty()) return;
  for (; marks.size() >= in_step; marks = marks.subspan(in_step)) {
    std::array<Signed, in_step> symbols;
    for (std::size_t i = 0; i < in_step; ++i) symbols[i].symbol = marks[i].symbol;
    accumulate_in_step(key_, symbols, cells_);
  }
  for (const Mark& mark : marks) {
    accumulate_in_step<1>(key_, {{{mark.symbol, Sign::in}}}, cells_);
  }
}

void DigestTable::clear() {
  const Change change(*this);
  for (Leaf& leaf : leaves_) {
    put(leaf.sum, std::uint64_t{0});
    leaf.count = 0;
  }
  for (Cell& cell : cells_) {
    put(cell.sum, std::uint64_t{0});
    put(cell.check, std::uint32_t{0});
    put(cell.count, std::int32_t{0});
  }
  put_root({});
}

void DigestTable::rekey(const DigestKey& key) {
  key_ = key;
  clear();
}

std::uint64_t DigestTable::sum(Bucket first, std::uint32_t buckets) const {
  std::uint64_t total = 0;
  for (Leaf& leaf : leaves_.subspan(to_number(first), buckets)) total += get(leaf.sum);
  return total;
}

bool DigestTable::add_cells(std::uint32_t first, std::span<Cell> out, Root& sum) const {
  CHECK(first <= cells_.size() && out.size() <= cells_.size() - first);
  // Pairs with the release store in ~Change().
  const std::uint32_t version = version_.load(std::memory_order_acquire);
  for (std::size_t i = 0; i < out.size(); ++i) {
    Cell& cell = cells_[first + i];
    out[i].sum ^= get(cell.sum);
    out[i].check ^= get(cell.check);
    out[i].count += get(cell.count);
  }
  const Root here = root();
  sum.sum += here.sum;
  sum.count += here.count;
  // Ordered behind the acquire loads above, which pair with put() and put_root(): a word of a later
  // change brings that change's odd version with it.
  return version % 2 == 0 && version_.load(std::memory_order_relaxed) == version;
}

}  // namespace starling
