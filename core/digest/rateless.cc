#include "core/digest/rateless.h"

#include <bit>

namespace starling {

namespace {

std::size_t found_size(std::uint32_t cells_max) {
  return 2 * std::bit_ceil(std::size_t{cells_max == 0 ? 1 : cells_max});
}

}  // namespace

void accumulate(const DigestKey& key, Symbol symbol, Sign sign, std::uint32_t first_cell,
                std::span<Cell> cells) {
  const std::uint64_t hash = key.hash(symbol);
  const std::uint64_t end = std::uint64_t{first_cell} + cells.size();
  for (CellWalk walk(hash); walk.cell() < end; walk.next()) {
    if (walk.cell() < first_cell) continue;
    Cell& cell = cells[walk.cell() - first_cell];
    cell.sum ^= to_number(symbol);
    cell.check ^= check_of(hash);
    cell.count += static_cast<std::int32_t>(sign);
  }
}

double estimate_difference(std::uint32_t differing, std::uint32_t buckets) {
  const double all = buckets;
  const double equal = differing < buckets ? all - differing : 0.5;
  return -all * std::log(equal / all);
}

DecoderSpace DecoderSpace::make(Arena& arena, std::uint32_t cells_max) {
  return {.cells = arena.make_zeroed<Cell>(cells_max),
          .marks = arena.make<std::uint8_t>(cells_max),
          .queue = arena.make<std::uint32_t>(cells_max),
          .differences = arena.make_zeroed<Difference>(cells_max),
          .found = arena.make<std::uint32_t>(found_size(cells_max))};
}

std::size_t DecoderSpace::footprint(std::uint32_t cells_max) {
  Footprint sum;
  sum.make_zeroed<Cell>(cells_max);
  sum.make<std::uint8_t>(cells_max);
  sum.make<std::uint32_t>(cells_max);
  sum.make_zeroed<Difference>(cells_max);
  sum.make<std::uint32_t>(found_size(cells_max));
  return sum.total();
}

void Decoder::begin(const DigestKey& key, std::span<const Cell> ours) {
  const std::span<Cell> places = begin(key, static_cast<std::uint32_t>(ours.size()));
  std::copy_n(ours.begin(), places.size(), places.begin());
}

std::span<Cell> Decoder::begin(const DigestKey& key, std::uint32_t cells) {
  key_ = &key;
  cells_max_ = static_cast<std::uint32_t>(std::min<std::size_t>(cells, space_.cells.size()));
  std::ranges::fill(space_.marks, std::uint8_t{0});
  std::ranges::fill(space_.found, 0U);
  given_ = first_missing_ = not_empty_ = queue_size_ = found_count_ = 0;
  contradiction_ = false;
  return space_.cells.first(cells_max_);
}

void Decoder::give(std::uint32_t index, const Cell& theirs) {
  CHECK(index < cells_max_);
  if (has(index)) return;
  Cell& cell = space_.cells[index];
  cell.sum ^= theirs.sum;
  cell.check ^= theirs.check;
  cell.count -= theirs.count & 0xff;
  space_.marks[index] |= present;
  ++given_;
  while (first_missing_ < cells_max_ && has(first_missing_)) ++first_missing_;
  if (is_empty(cell)) return;
  ++not_empty_;
  enqueue_if_pure(index);
}

void Decoder::enqueue_if_pure(std::uint32_t index) {
  if (!may_be_pure(space_.cells[index]) || (space_.marks[index] & queued) != 0) return;
  space_.marks[index] |= queued;
  space_.queue[queue_size_++] = index;
}

Decoder::Progress Decoder::peel() {
  while (queue_size_ > 0 && !contradiction_) {
    const std::uint32_t index = space_.queue[--queue_size_];
    space_.marks[index] &= static_cast<std::uint8_t>(~queued);
    contradiction_ = !take_out(index);
  }
  if (contradiction_) return Progress::hopeless;
  // Every symbol is in cell 0.
  if (not_empty_ == 0 && first_missing_ > 0) return Progress::decoded;
  return given_ == cells_max_ ? Progress::hopeless : Progress::more;
}

bool Decoder::take_out(std::uint32_t index) {
  const Cell pure = space_.cells[index];
  if (!may_be_pure(pure)) return true;  // changed since it was queued
  const Symbol symbol{pure.sum};
  const std::uint64_t hash = key_->hash(symbol);
  if (check_of(hash) != pure.check) return true;  // several symbols that happen to count as one
  CellWalk there(hash);
  while (there.cell() < index) there.next();
  if (there.cell() != index) return false;
  const bool ours = (pure.count & 0xff) == 1;
  if (!remember(symbol, ours ? Holder::ours : Holder::theirs)) return false;
  for (CellWalk walk(hash); walk.cell() < cells_max_; walk.next()) {
    const auto at = static_cast<std::uint32_t>(walk.cell());
    Cell& cell = space_.cells[at];
    const bool counts = has(at);
    if (counts && !is_empty(cell)) --not_empty_;
    cell.sum ^= pure.sum;
    cell.check ^= pure.check;
    cell.count -= ours ? 1 : -1;
    if (!counts || is_empty(cell)) continue;
    ++not_empty_;
    enqueue_if_pure(at);
  }
  return true;
}

// False: found before, or more than the cells can tell.
bool Decoder::remember(Symbol symbol, Holder holder) {
  if (found_count_ == given_) return false;
  const std::size_t mask = space_.found.size() - 1;
  // The keyed part of a symbol spreads well; the name's part need not.
  std::size_t at = (to_number(symbol) * 0x9e3779b97f4a7c15) >> 32 & mask;
  for (; space_.found[at] != 0; at = (at + 1) & mask) {
    if (space_.differences[space_.found[at] - 1].symbol == symbol) return false;
  }
  space_.differences[found_count_++] = {symbol, holder};
  space_.found[at] = found_count_;
  return true;
}

}  // namespace starling
