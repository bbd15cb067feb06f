// StreamIds: which slot of a port's stream table a StreamId names.
//
// Accepted streams get ids that hold the slot and a generation, so that an operation that comes
// late for a stream already gone finds nothing. Dialled ids are the lane's own choice and are
// looked up by scanning a flat array: the table is small and operations are rare. Owned by a port,
// one thread, no allocation after construction.
#pragma once

#include <optional>
#include <vector>

#include "core/shard/streams.h"
#include "wire/base/check.h"

namespace starling::io {

class StreamIds {
 public:
  explicit StreamIds(std::size_t slots) : entries_(slots) {
    CHECK(slots > 0 && slots <= slots_max);
  }

  void dialled(std::size_t slot, StreamId id) { entries_[slot] = {id, true, generation(slot)}; }
  StreamId accepted(std::size_t slot) {
    Entry& entry = entries_[slot];
    entry.generation = static_cast<std::uint16_t>((entry.generation + 1) % generations);
    entry.id = StreamId{stream_accepted_bit | std::uint32_t{entry.generation} << slot_bits |
                        static_cast<std::uint32_t>(slot)};
    entry.used = true;
    return entry.id;
  }
  // The id means nothing any more; the slot itself may live on (a stream that lingers).
  void forget(std::size_t slot) { entries_[slot].used = false; }

  std::optional<std::size_t> find(StreamId id) const {
    if (is_accepted(id)) {
      const std::size_t slot = static_cast<std::uint32_t>(id) & (slots_max - 1);
      if (slot < entries_.size() && entries_[slot].used && entries_[slot].id == id) return slot;
      return std::nullopt;
    }
    for (std::size_t slot = 0; slot < entries_.size(); ++slot) {
      if (entries_[slot].used && entries_[slot].id == id) return slot;
    }
    return std::nullopt;
  }

 private:
  static constexpr unsigned slot_bits = 16;
  static constexpr std::size_t slots_max = std::size_t{1} << slot_bits;
  static constexpr unsigned generations = 1u << 15;

  struct Entry {
    StreamId id{};
    bool used = false;
    std::uint16_t generation = 0;
  };
  std::uint16_t generation(std::size_t slot) const { return entries_[slot].generation; }

  std::vector<Entry> entries_;
};

}  // namespace starling::io
