// How many cells a difference needs, and sending them.
//
// What both sides of an exchange have in common about cells. Pure functions but for the sending.
#pragma once

#include "core/digest/rateless.h"
#include "core/digest/record_sender.h"
#include "wire/sync.h"

namespace starling {

inline SyncCell wire_cell(const Cell& cell) {
  return {cell.sum, cell.check, static_cast<std::uint8_t>(cell.count & 0xff)};
}
inline Cell cell_of(const SyncCell& cell) {
  return {cell.sum, cell.check, cell.count};
}

// Nearly all groups differ: their number does not tell any more how many rows do.
bool is_saturated(std::uint32_t differing, std::uint32_t groups);

// Cells that most likely tell `rows` differing rows of two tables of these sizes: 1.5 times the
// symbols and a few, less for many. A changed row is two symbols, a row that one side lacks is one;
// at least as many lack as the sizes differ.
std::uint32_t cells_for(double rows, std::uint32_t count, std::uint32_t other_count);

// The most that one request is answered with: about eight datagrams.
std::uint32_t cells_of_a_request(std::size_t room);
inline constexpr std::uint32_t request_messages = 8;
inline constexpr std::uint32_t request_cells_max =
    request_messages * (sync_message_bytes_max / sync_cell_bytes);

// Sends these cells, from number `first` on, of the table with this root, in as many messages as
// needed.
void send_cells(const SyncHeader& header, std::uint64_t root, std::uint32_t first,
                std::span<const Cell> cells, SyncOutbox& out);
// Sends our cells first..first+count-1, as far as there are such; request_cells_max at most.
void send_cells(const SyncHeader& header, std::uint32_t first, std::uint32_t count,
                SyncOutbox& out);

}  // namespace starling
