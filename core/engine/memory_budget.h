// What an engine's memory is for: each part, how much is reserved, and what a member takes of it.
//
// Reserved is address space: the block of Engine::footprint() bytes. Pages that are never touched
// cost nothing, and nothing that grows with members_max is touched before a member needs it. A pure
// function of the options, for start-up messages and capacity planning.
#pragma once

#include <array>
#include <string_view>

#include "core/shard/options.h"

namespace starling {

struct MemoryPart {
  std::string_view name;
  std::size_t reserved_bytes = 0;
  // What one member touches that is alive and has a name of 16 bytes and metadata that many share.
  // Less than a byte a member counts as none.
  std::size_t member_bytes = 0;
};

struct MemoryBudget {
  // Parts 0 to row_parts-1 are the rows: reserved for each of members_max members.
  static constexpr std::size_t row_parts = 7;
  std::array<MemoryPart, row_parts + 3> parts;

  std::size_t reserved_bytes() const;
  std::size_t row_bytes_reserved() const;
  std::size_t member_bytes() const;
};

// The parts add up to Engine::footprint(options).
MemoryBudget budget_of(const EngineOptions& options);

}  // namespace starling
