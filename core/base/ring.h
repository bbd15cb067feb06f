// Byte ring between two lanes: one writer, one reader, records of any length, nobody waits.
//
// Ownership is who holds the end: both ends are move-only and an end lives in exactly one lane (or
// both in one). The writer claims room for a record, fills it in place and commits what it used;
// the reader drains records in order. Records start on 8-byte borders and never wrap: the rest of
// the buffer is skipped by a padding record. A full ring returns no room and the record is lost;
// the caller counts it. A reader sees a record only after its commit.
#pragma once

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>

#include "core/base/arena.h"
#include "wire/base/types.h"

namespace starling {

// Shared by both ends. Positions grow without bound; the low bits are the place in the buffer.
struct RingMemory {
  alignas(cache_line_bytes) std::atomic<std::uint64_t> tail{0};  // written up to here
  alignas(cache_line_bytes) std::atomic<std::uint64_t> head{0};  // read up to here
  alignas(cache_line_bytes) std::byte* bytes = nullptr;
  std::size_t capacity = 0;  // a power of two
};

struct RingRecord {
  static constexpr std::size_t header_bytes = 8;
  static constexpr std::uint32_t padding = 0xffff'ffff;  // in place of a length: skip to the start
};

class RingWriter {
 public:
  RingWriter(RingWriter&&) noexcept = default;
  RingWriter& operator=(RingWriter&&) noexcept = default;

  // Room for one record of up to `bytes_max` bytes (1..record_bytes_max()); empty when the ring is
  // too full: then there is nothing to commit. A claim that is not committed is forgotten.
  MutableBytes claim(std::size_t bytes_max);
  // Publishes the first `bytes` bytes of the claim; without an argument all of it.
  void commit(std::size_t bytes);
  void commit() { commit(claimed_bytes_); }
  // claim, copy, commit; false when there was no room.
  bool write(Bytes record);

  // The longest record that a claim would get now; 0 when there is no room.
  std::size_t room() const;
  std::size_t record_bytes_max() const { return memory_->capacity / 2 - RingRecord::header_bytes; }

 private:
  friend std::pair<RingWriter, class RingReader> make_ring(Arena&, std::size_t bytes);
  explicit RingWriter(RingMemory& memory) : memory_(&memory) {}

  RingMemory* memory_;
  std::uint64_t tail_ = 0;       // our own index, also in memory_->tail
  std::uint64_t head_seen_ = 0;  // the reader's index as last read: saves a cache miss
  std::uint64_t claimed_at_ = 0;
  std::size_t claimed_bytes_ = 0;
};

class RingReader {
 public:
  RingReader(RingReader&&) noexcept = default;
  RingReader& operator=(RingReader&&) noexcept = default;

  // Calls on_record(Bytes) for up to records_max records; the bytes are valid during the call.
  // Returns how many. Their room is free for the writer when drain returns.
  template <std::invocable<Bytes> OnRecord>
  std::size_t drain(std::size_t records_max, OnRecord&& on_record) {
    // Pairs with the release store of tail in commit().
    const std::uint64_t tail = memory_->tail.load(std::memory_order_acquire);
    std::size_t records = 0;
    while (records < records_max && head_ != tail) {
      const std::size_t at = static_cast<std::size_t>(head_) & (memory_->capacity - 1);
      std::uint32_t length = 0;
      std::memcpy(&length, memory_->bytes + at, sizeof length);
      if (length == RingRecord::padding) {
        head_ += memory_->capacity - at;
        continue;
      }
      on_record(Bytes(memory_->bytes + at + RingRecord::header_bytes, length));
      head_ += round_up(RingRecord::header_bytes + length, 8);
      ++records;
    }
    // Pairs with the acquire load of head in RingWriter::claim() and room().
    memory_->head.store(head_, std::memory_order_release);
    return records;
  }

  // Whether drain would find nothing.
  bool empty() const;

 private:
  friend std::pair<RingWriter, RingReader> make_ring(Arena&, std::size_t bytes);
  explicit RingReader(RingMemory& memory) : memory_(&memory) {}

  RingMemory* memory_;
  std::uint64_t head_ = 0;  // our own index, also in memory_->head
};

// `bytes` is rounded up to a power of two, at least 64.
std::pair<RingWriter, RingReader> make_ring(Arena& arena, std::size_t bytes);
std::size_t ring_footprint(std::size_t bytes);

}  // namespace starling
