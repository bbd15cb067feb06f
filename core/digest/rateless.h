// Rateless set reconciliation: an endless sequence of cells, of which a prefix of about 1.4 times
// the difference tells two sets apart, however large they are.
//
// "Practical Rateless Set Reconciliation" (Yang, Gilad, Alizadeh; SIGCOMM 2024). Each symbol goes
// into cell 0 and into later cells i with density 1/(1+i/2), at places drawn from its keyed hash. A
// cell is the exclusive or of its symbols, that of their checks, and their number. Cells of two
// sets subtract: what both have is gone. A cell that holds one symbol alone is known by its check;
// that symbol is taken out of all its other cells, which makes more of them pure. Everybody has the
// same sequence for the same set, so a prefix can be kept up to date and sent to anyone.
//
// The peer's cells may be lies. A symbol counts only if its check fits, if it belongs into the cell
// it was found in, and if it was not found before; no more symbols are taken out than there are
// cells.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>

#include "core/base/arena.h"
#include "core/digest/symbol.h"

namespace starling {

struct Cell {
  std::uint64_t sum = 0;    // exclusive or of the symbols
  std::uint32_t check = 0;  // exclusive or of their checks
  std::int32_t count = 0;
  friend bool operator==(const Cell&, const Cell&) = default;
};

// The cells of one symbol in ascending order, cell 0 first. The places must be the same on every
// machine: only operations that IEEE 754 rounds exactly.
class CellWalk {
 public:
  // `hash`: DigestKey::hash of the symbol.
  explicit CellWalk(std::uint64_t hash) : state_(hash | 1) {}

  std::uint64_t cell() const { return cell_; }
  void next() {
    state_ *= 0xda942042e4dd58b5;
    // Uniform in (0, 1]. P(no cell from i+1 to i+k) = (i+1)(i+2) / ((i+k+1)(i+k+2)), nearly,
    // inverted.
    const double uniform =
        (static_cast<double>(static_cast<std::int64_t>(state_ >> 11)) + 1) * 0x1.0p-53;
    const double gap = (static_cast<double>(static_cast<std::int64_t>(cell_)) + 1.5) *
                       (1 / std::sqrt(uniform) - 1);
    cell_ += static_cast<std::uint64_t>(gap) + 1;
  }

 private:
  std::uint64_t state_;
  std::uint64_t cell_ = 0;
};

constexpr std::uint32_t check_of(std::uint64_t hash) {
  return static_cast<std::uint32_t>(hash);
}

enum class Sign : std::int8_t { in = 1, out = -1 };

// Puts a symbol into, or takes it out of, the cells from `first_cell` on.
void accumulate(const DigestKey& key, Symbol symbol, Sign sign, std::uint32_t first_cell,
                std::span<Cell> cells);

// The number of rows that differ if `differing` of `buckets` buckets do: -B ln(1 - x/B). All of
// them: counted as all but half of one.
double estimate_difference(std::uint32_t differing, std::uint32_t buckets);

enum class Holder : std::uint8_t { ours, theirs };

struct Difference {
  Symbol symbol{};
  Holder holder = Holder::ours;  // who has it; the other has not
};

// The memory of a decoder of at most cells.size() cells.
struct DecoderSpace {
  std::span<Cell> cells;
  std::span<std::uint8_t> marks;      // one for each cell
  std::span<std::uint32_t> queue;     // as many
  std::span<Difference> differences;  // as many
  std::span<std::uint32_t> found;     // a power of two, at least twice as many; zeroed

  static DecoderSpace make(Arena& arena, std::uint32_t cells_max);
  static std::size_t footprint(std::uint32_t cells_max);
};

// The same on a stack.
template <std::size_t cells_max>
class SmallDecoderSpace {
  static_assert((cells_max & (cells_max - 1)) == 0);

 public:
  DecoderSpace space() { return {cells_, marks_, queue_, differences_, found_}; }

 private:
  std::array<Cell, cells_max> cells_{};
  std::array<std::uint8_t, cells_max> marks_{};
  std::array<std::uint32_t, cells_max> queue_{};
  std::array<Difference, cells_max> differences_{};
  std::array<std::uint32_t, 2 * cells_max> found_{};
};

// Finds the difference of two sets from our cells and the peer's, given in any order. Owned by one
// exchange, used by its thread; begin() makes it new.
class Decoder {
 public:
  explicit Decoder(const DecoderSpace& space) : space_(space) {}

  // Our cells as they are now; later changes of the table do not matter. Of more cells than there
  // is space for, the first are taken. `key` must stay until the last call of peel().
  void begin(const DigestKey& key, std::span<const Cell> ours);
  // The same with `cells` cells, ours to be written into the span that comes back before anything
  // is given. It is shorter if there is less space.
  std::span<Cell> begin(const DigestKey& key, std::uint32_t cells);

  // How many cells can be given.
  std::uint32_t cells_max() const { return cells_max_; }
  bool has(std::uint32_t index) const { return (space_.marks[index] & present) != 0; }
  std::uint32_t cells() const { return given_; }
  // The first cell that is missing.
  std::uint32_t first_missing() const { return first_missing_; }

  // The peer's cell number `index`, which must be below cells_max(). Ignored if given before. Of
  // the count only the lowest 8 bits matter.
  void give(std::uint32_t index, const Cell& theirs);

  enum class Progress : std::uint8_t {
    more,      // not yet: give more cells
    decoded,   // differences() is all there is
    hopeless,  // the cells contradict each other, or all were given and are not enough
  };
  Progress peel();

  // What was found so far; the whole difference once peel() said decoded. May be sorted in place,
  // after which only begin() may be called.
  std::span<Difference> differences() { return space_.differences.first(found_count_); }

 private:
  static constexpr std::uint8_t present = 1;
  static constexpr std::uint8_t queued = 2;

  static bool is_empty(const Cell& cell) {
    return cell.sum == 0 && cell.check == 0 && (cell.count & 0xff) == 0;
  }
  // Whether it may hold one symbol alone.
  static bool may_be_pure(const Cell& cell) {
    const std::int32_t count = cell.count & 0xff;
    return count == 1 || count == 0xff;
  }
  void enqueue_if_pure(std::uint32_t index);
  // False: a contradiction.
  bool take_out(std::uint32_t index);
  bool remember(Symbol symbol, Holder holder);

  DecoderSpace space_;
  const DigestKey* key_ = nullptr;
  std::uint32_t cells_max_ = 0;
  std::uint32_t given_ = 0;
  std::uint32_t first_missing_ = 0;
  std::uint32_t not_empty_ = 0;  // of the given cells
  std::uint32_t queue_size_ = 0;
  std::uint32_t found_count_ = 0;
  bool contradiction_ = false;
};

}  // namespace starling
