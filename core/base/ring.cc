#include "core/base/ring.h"

#include <algorithm>
#include <bit>

#include "wire/base/check.h"

namespace starling {
namespace {

void write_length(RingMemory& memory, std::uint64_t position, std::uint32_t length) {
  const std::size_t at = static_cast<std::size_t>(position) & (memory.capacity - 1);
  std::memcpy(memory.bytes + at, &length, sizeof length);
}

std::size_t capacity_for(std::size_t bytes) {
  return std::bit_ceil(std::max<std::size_t>(bytes, 64));
}

}  // namespace

MutableBytes RingWriter::claim(std::size_t bytes_max) {
  CHECK(bytes_max >= 1 && bytes_max <= record_bytes_max());
  const std::size_t capacity = memory_->capacity;
  const std::size_t need = round_up(RingRecord::header_bytes + bytes_max, 8);
  const std::size_t at = static_cast<std::size_t>(tail_) & (capacity - 1);
  const std::size_t padding = need <= capacity - at ? 0 : capacity - at;

  if (tail_ + padding + need - head_seen_ > capacity) {
    // Pairs with the release store of head in RingReader::drain(): the reader is done with
    // everything before it.
    head_seen_ = memory_->head.load(std::memory_order_acquire);
    if (tail_ + padding + need - head_seen_ > capacity) return {};
  }
  // Not visible to the reader before commit moves the tail past it.
  if (padding != 0) write_length(*memory_, tail_, RingRecord::padding);
  claimed_at_ = tail_ + padding;
  claimed_bytes_ = bytes_max;
  const std::size_t start = static_cast<std::size_t>(claimed_at_) & (capacity - 1);
  return {memory_->bytes + start + RingRecord::header_bytes, bytes_max};
}

void RingWriter::commit(std::size_t bytes) {
  CHECK(claimed_bytes_ != 0 && bytes <= claimed_bytes_);
  write_length(*memory_, claimed_at_, static_cast<std::uint32_t>(bytes));
  tail_ = claimed_at_ + round_up(RingRecord::header_bytes + bytes, 8);
  claimed_bytes_ = 0;
  // Pairs with the acquire load of tail in RingReader::drain() and empty().
  memory_->tail.store(tail_, std::memory_order_release);
}

bool RingWriter::write(Bytes record) {
  const MutableBytes room = claim(record.size());
  if (room.empty()) return false;
  std::memcpy(room.data(), record.data(), record.size());
  commit();
  return true;
}

std::size_t RingWriter::room() const {
  // Pairs with the release store of head in RingReader::drain().
  const std::uint64_t head = memory_->head.load(std::memory_order_acquire);
  const std::size_t capacity = memory_->capacity;
  const std::size_t free = capacity - static_cast<std::size_t>(tail_ - head);
  const std::size_t to_end = capacity - (static_cast<std::size_t>(tail_) & (capacity - 1));
  // In one piece: before the end of the buffer, or from its start after padding.
  const std::size_t piece = free <= to_end ? free : std::max(to_end, free - to_end);
  if (piece <= RingRecord::header_bytes) return 0;
  return std::min(piece - RingRecord::header_bytes, record_bytes_max());
}

bool RingReader::empty() const {
  // Pairs with the release store of tail in RingWriter::commit().
  return memory_->tail.load(std::memory_order_acquire) == head_;
}

std::pair<RingWriter, RingReader> make_ring(Arena& arena, std::size_t bytes) {
  RingMemory& memory = arena.make<RingMemory>(1).front();
  const MutableBytes buffer = arena.bytes(capacity_for(bytes));
  memory.bytes = buffer.data();
  memory.capacity = buffer.size();
  return {RingWriter(memory), RingReader(memory)};
}

std::size_t ring_footprint(std::size_t bytes) {
  Footprint sum;
  sum.make<RingMemory>(1);
  sum.bytes(capacity_for(bytes));
  return sum.total();
}

}  // namespace starling
