// The messages by which two nodes of this kind compare their member tables and send what differs.
//
// One memberlist message type that Go peers do not know (they log it and drop it), so it may only
// be sent to peers that said they understand it. Every message is one datagram and makes sense
// alone; integers are big-endian. After the type byte:
//
//   kind u8 (top bit: from the responder), exchange u32, then
//   digest        root u64, count u32, byte u8, fold u8, first bucket u16, n u16, n sums u8, cells
//   differing     root u64, count u32, cells held u32, fold u8, first bucket u16, n u16,
//                 bitmap of n bits, cells
//   cells_wanted  first u32, count u32
//   cells         root u64, first u32, cells
//   want          flags u8, symbols u64
//   range_wanted  first bucket u16, buckets u16, page u16, sum u64
//   records       flags u8, [first bucket u16, buckets u16, page u16, last page u16, sum u64], rows
//   finished      serial u8, root u64, count u32
//
// A cell is a sum u64, a check u32 and a count u8 (core/digest/rateless.h). A fold of f means that
// the buckets of this message are 2^f groups of the 4096. Decoding gives views of the datagram;
// nothing allocates. All values.
#pragma once

#include <variant>

#include "wire/base/bytes.h"
#include "wire/base/types.h"

namespace starling {

// Beside memberlist's own types in the first byte of a message.
inline constexpr std::uint8_t sync_message_type = 83;
// What a sender puts into one message, type byte included: one datagram on any usual path.
inline constexpr std::size_t sync_message_bytes_max = 1400;
inline constexpr std::size_t sync_cell_bytes = 13;
inline constexpr std::size_t sync_symbol_bytes = 8;
inline constexpr std::uint32_t sync_fold_max = 12;  // 4096 buckets
// Rows wanted by one message: bounds the answer to one datagram per largest row.
inline constexpr std::size_t sync_want_symbols_max = 64;

// Only append: the numbers are the protocol.
enum class SyncKind : std::uint8_t {
  digest = 0,
  differing = 1,
  cells_wanted = 2,
  cells = 3,
  want = 4,
  range_wanted = 5,
  records = 6,
  finished = 7,
};
std::string_view to_text(SyncKind kind);

// Chosen by the initiator; names one exchange between two nodes.
enum class ExchangeId : std::uint32_t {};
constexpr std::uint32_t to_number(ExchangeId id) {
  return static_cast<std::uint32_t>(id);
}

struct SyncHeader {
  ExchangeId exchange{};
  bool from_responder = false;
};

struct SyncCell {
  std::uint64_t sum = 0;
  std::uint32_t check = 0;
  std::uint8_t count = 0;  // modulo 256
  friend bool operator==(const SyncCell&, const SyncCell&) = default;
};

class SyncCells {
 public:
  SyncCells() = default;
  // `raw` must be whole cells.
  explicit SyncCells(Bytes raw) : raw_(raw) {}
  std::size_t size() const { return raw_.size() / sync_cell_bytes; }
  SyncCell operator[](std::size_t index) const;
  Bytes raw() const { return raw_; }

 private:
  Bytes raw_;
};

class SyncSymbols {
 public:
  SyncSymbols() = default;
  explicit SyncSymbols(Bytes raw) : raw_(raw) {}
  std::size_t size() const { return raw_.size() / sync_symbol_bytes; }
  std::uint64_t operator[](std::size_t index) const;
  Bytes raw() const { return raw_; }

 private:
  Bytes raw_;
};

// Opens an exchange, or looks closer: sums of the groups of buckets from `first_bucket` on.
struct SyncDigest {
  std::uint64_t root = 0;
  std::uint32_t count = 0;  // rows digested
  std::uint8_t byte = 0;    // which of the sums' bytes, 0 to 7: two that are equal by chance in one
                            // are not in the next
  std::uint8_t fold_log2 = 0;
  std::uint16_t first_bucket = 0;  // a group, in units of the fold
  Bytes sums;                      // that byte of each group's sum
  SyncCells cells;                 // from cell 0 on
};

struct SyncDiffering {
  std::uint64_t root = 0;
  std::uint32_t count = 0;
  std::uint32_t cells_held = 0;  // how many the responder could send
  std::uint8_t fold_log2 = 0;
  std::uint16_t first_bucket = 0;
  std::uint16_t buckets = 0;
  Bytes bitmap;  // highest bit of the first byte: first_bucket
  SyncCells cells;

  bool differs(std::size_t index) const {
    return (std::to_integer<unsigned>(bitmap[index / 8]) >> (7 - index % 8) & 1U) != 0;
  }
};

struct SyncCellsWanted {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

// Cells of the table that has this root: cells of different tables do not go together.
struct SyncCellsPart {
  std::uint64_t root = 0;
  std::uint32_t first = 0;
  SyncCells cells;
};

struct SyncWant {
  bool last = false;    // nothing more follows from this sender
  SyncSymbols symbols;  // at most sync_want_symbols_max
};

// Rows of `buckets` buckets (of the 4096), a datagram's worth of them.
struct SyncRangeWanted {
  std::uint16_t first_bucket = 0;
  std::uint16_t buckets = 0;
  std::uint16_t page = 0;
  std::uint64_t sum = 0;  // of the sender's own rows there: equal tables need no rows
};

struct SyncRange {
  std::uint16_t first_bucket = 0;
  std::uint16_t buckets = 0;
  std::uint16_t page = 0;
  std::uint16_t last_page = 0;
  std::uint64_t sum = 0;
};

struct SyncRecords {
  static constexpr std::uint8_t flag_reply = 1;  // an answer to a record: not to be answered
  static constexpr std::uint8_t flag_last = 2;   // nothing more follows from this sender
  static constexpr std::uint8_t flag_range = 4;
  static constexpr std::uint8_t flags_known = 7;

  std::uint8_t flags = 0;
  SyncRange range;  // when flag_range is set
  Bytes records;    // see sync_records.h

  bool reply() const { return (flags & flag_reply) != 0; }
  bool last() const { return (flags & flag_last) != 0; }
  bool of_range() const { return (flags & flag_range) != 0; }
};

// "This is where I stand": asks for the same, or answers. The answer has the serial of the
// question; an answer to a digest has zero.
struct SyncFinished {
  std::uint8_t serial = 0;
  std::uint64_t root = 0;
  std::uint32_t count = 0;
};

using SyncBody = std::variant<SyncDigest, SyncDiffering, SyncCellsWanted, SyncCellsPart, SyncWant,
                              SyncRangeWanted, SyncRecords, SyncFinished>;
struct SyncMessage {
  SyncHeader header;
  SyncBody body;
};

// Expects the bytes after the type byte. Ranges and folds that it gives lie within the 4096
// buckets.
Decoded<SyncMessage> decode_sync(Bytes body);

// Whether a message, type byte included, is of this kind; and which side of the exchange sent it.
bool is_sync(Bytes message, SyncKind kind, bool from_responder);
bool is_from_responder(Bytes message);

// Each writes the type byte and all of the message. Cells, symbols and records may be appended
// afterwards instead of being given. Check out.ok().
void encode(const SyncHeader& header, const SyncDigest& message, Writer& out);
void encode(const SyncHeader& header, const SyncDiffering& message, Writer& out);
void encode(const SyncHeader& header, const SyncCellsWanted& message, Writer& out);
void encode(const SyncHeader& header, const SyncCellsPart& message, Writer& out);
void encode(const SyncHeader& header, const SyncWant& message, Writer& out);
void encode(const SyncHeader& header, const SyncRangeWanted& message, Writer& out);
void encode(const SyncHeader& header, const SyncRecords& message, Writer& out);
void encode(const SyncHeader& header, const SyncFinished& message, Writer& out);
void put_cell(const SyncCell& cell, Writer& out);

// The length of a finished message.
inline constexpr std::size_t sync_finished_bytes = 1 + 1 + 4 + 1 + 8 + 4;
// Where the flags stand in a want or records message, to add `last` once it is known.
inline constexpr std::size_t sync_flags_offset = 6;
// Where the last page stands in a records message of a range.
inline constexpr std::size_t sync_last_page_offset = sync_flags_offset + 1 + 6;

}  // namespace starling
