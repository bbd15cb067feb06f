// SlotPool: a fixed number of equal buffers and the list of those that are free.
//
// Owned by a port, used by its lane's thread. Nothing is allocated after creation.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "io/mapped_memory.h"
#include "wire/base/check.h"

namespace starling::io {

class SlotPool {
 public:
  struct Options {
    std::size_t slots = 0;
    std::size_t slot_bytes = 0;
  };
  static std::expected<SlotPool, std::string> create(Options options) {
    // Slots start at different cache sets: equal buffers of a power of two would share a few.
    const std::size_t stride = (options.slot_bytes + 63) / 64 * 64 + 3 * 64;
    auto memory = MappedMemory::map({.bytes = stride * options.slots});
    if (!memory) return std::unexpected(std::move(memory.error()));
    SlotPool pool;
    pool.memory_ = std::move(*memory);
    pool.slot_bytes_ = options.slot_bytes;
    pool.stride_ = stride;
    pool.free_.reserve(options.slots);
    // The lowest slot is taken first, so that a quiet node keeps using the same few pages.
    for (std::size_t i = options.slots; i > 0; --i) pool.free_.push_back(i - 1);
    pool.slots_ = options.slots;
    return pool;
  }

  std::size_t free() const { return free_.size(); }
  std::size_t slots() const { return slots_; }
  MutableBytes at(std::size_t slot) {
    DCHECK(slot < slots_);
    return memory_.bytes().subspan(slot * stride_, slot_bytes_);
  }
  // Only while free() > 0.
  std::size_t take() {
    CHECK(!free_.empty());
    const std::size_t slot = free_.back();
    free_.pop_back();
    return slot;
  }
  void give(std::size_t slot) {
    CHECK(slot < slots_ && free_.size() < slots_);
    free_.push_back(slot);
  }

 private:
  SlotPool() = default;

  MappedMemory memory_;
  std::size_t slot_bytes_ = 0;
  std::size_t stride_ = 0;
  std::size_t slots_ = 0;
  std::vector<std::size_t> free_;
};

}  // namespace starling::io
