#include "wire/sync.h"

namespace starling {

namespace {

constexpr std::uint8_t from_responder_bit = 0x80;
constexpr std::uint8_t want_last = 1;
constexpr std::uint32_t buckets_all = 1U << sync_fold_max;

// The rest of the datagram as whole pieces of one size.
Bytes take_pieces(Reader& in, const char* field, std::size_t piece_bytes) {
  in.set_field(field);
  if (in.ok() && in.left() % piece_bytes != 0) in.fail(WireFault::truncated);
  return in.take(in.left());
}

// A fold, a first group and a number of groups, which must exist.
template <class Message>
std::uint16_t take_groups(Reader& in, Message& message) {
  in.set_field("fold");
  message.fold_log2 = in.u8();
  if (in.ok() && message.fold_log2 > sync_fold_max) in.fail(WireFault::out_of_range);
  in.set_field("first_bucket");
  message.first_bucket = in.u16();
  const std::uint16_t groups = in.u16();
  if (in.ok() && message.first_bucket + std::uint32_t{groups} > 1U << message.fold_log2) {
    in.fail(WireFault::out_of_range);
  }
  return in.ok() ? groups : std::uint16_t{0};
}

void check_range(Reader& in, std::uint16_t first, std::uint16_t buckets) {
  if (!in.ok()) return;
  if (buckets == 0 || first + std::uint32_t{buckets} > buckets_all)
    in.fail(WireFault::out_of_range);
}

SyncDigest read_digest(Reader& in) {
  SyncDigest message;
  in.set_field("root");
  message.root = in.u64();
  message.count = in.u32();
  in.set_field("byte");
  message.byte = in.u8();
  if (in.ok() && message.byte > 7) in.fail_at(WireFault::out_of_range, in.offset() - 1);
  const std::uint16_t groups = take_groups(in, message);
  in.set_field("sums");
  message.sums = in.take(groups);
  message.cells = SyncCells(take_pieces(in, "cells", sync_cell_bytes));
  return message;
}

SyncDiffering read_differing(Reader& in) {
  SyncDiffering message;
  in.set_field("root");
  message.root = in.u64();
  message.count = in.u32();
  message.cells_held = in.u32();
  message.buckets = take_groups(in, message);
  in.set_field("bitmap");
  message.bitmap = in.take((message.buckets + std::size_t{7}) / 8);
  message.cells = SyncCells(take_pieces(in, "cells", sync_cell_bytes));
  return message;
}

SyncCellsWanted read_cells_wanted(Reader& in) {
  in.set_field("first");
  SyncCellsWanted message;
  message.first = in.u32();
  message.count = in.u32();
  return message;
}

SyncCellsPart read_cells(Reader& in) {
  in.set_field("root");
  SyncCellsPart message;
  message.root = in.u64();
  message.first = in.u32();
  message.cells = SyncCells(take_pieces(in, "cells", sync_cell_bytes));
  return message;
}

SyncWant read_want(Reader& in) {
  in.set_field("flags");
  SyncWant message;
  const std::uint8_t flags = in.u8();
  if (in.ok() && flags > want_last) in.fail_at(WireFault::unsupported, in.offset() - 1);
  message.last = flags == want_last;
  message.symbols = SyncSymbols(take_pieces(in, "symbols", sync_symbol_bytes));
  if (in.ok() && message.symbols.size() > sync_want_symbols_max) in.fail(WireFault::too_large);
  return message;
}

SyncRangeWanted read_range_wanted(Reader& in) {
  in.set_field("range");
  SyncRangeWanted message;
  message.first_bucket = in.u16();
  message.buckets = in.u16();
  check_range(in, message.first_bucket, message.buckets);
  message.page = in.u16();
  message.sum = in.u64();
  return message;
}

SyncRecords read_records(Reader& in) {
  in.set_field("flags");
  SyncRecords message;
  message.flags = in.u8();
  if (in.ok() && (message.flags & ~SyncRecords::flags_known) != 0) {
    in.fail_at(WireFault::unsupported, in.offset() - 1);
  }
  if (in.ok() && message.of_range()) {
    in.set_field("range");
    SyncRange& range = message.range;
    range.first_bucket = in.u16();
    range.buckets = in.u16();
    check_range(in, range.first_bucket, range.buckets);
    range.page = in.u16();
    range.last_page = in.u16();
    if (in.ok() && range.page > range.last_page) in.fail(WireFault::out_of_range);
    range.sum = in.u64();
  }
  message.records = in.take(in.left());
  return message;
}

SyncFinished read_finished(Reader& in) {
  in.set_field("serial");
  SyncFinished message;
  message.serial = in.u8();
  message.root = in.u64();
  message.count = in.u32();
  return message;
}

void put_header(SyncKind kind, const SyncHeader& header, Writer& out) {
  out.u8(sync_message_type);
  out.u8(static_cast<std::uint8_t>(static_cast<unsigned>(kind) |
                                   (header.from_responder ? from_responder_bit : 0U)));
  out.u32(to_number(header.exchange));
}

}  // namespace

std::string_view to_text(SyncKind kind) {
  switch (kind) {
    case SyncKind::digest:
      return "digest";
    case SyncKind::differing:
      return "differing";
    case SyncKind::cells_wanted:
      return "cells wanted";
    case SyncKind::cells:
      return "cells";
    case SyncKind::want:
      return "want";
    case SyncKind::range_wanted:
      return "range wanted";
    case SyncKind::records:
      return "records";
    case SyncKind::finished:
      return "finished";
  }
  return "unknown";
}

SyncCell SyncCells::operator[](std::size_t index) const {
  Reader in(raw_.subspan(index * sync_cell_bytes, sync_cell_bytes));
  SyncCell cell;
  cell.sum = in.u64();
  cell.check = in.u32();
  cell.count = in.u8();
  return cell;
}

std::uint64_t SyncSymbols::operator[](std::size_t index) const {
  return Reader(raw_.subspan(index * sync_symbol_bytes, sync_symbol_bytes)).u64();
}

bool is_from_responder(Bytes message) {
  return message.size() > 1 &&
         (std::to_integer<std::uint8_t>(message[1]) & from_responder_bit) != 0;
}

bool is_sync(Bytes message, SyncKind kind, bool from_responder) {
  return message.size() > 1 && message[0] == std::byte{sync_message_type} &&
         (std::to_integer<std::uint8_t>(message[1]) & ~from_responder_bit) ==
             static_cast<std::uint8_t>(kind) &&
         is_from_responder(message) == from_responder;
}

Decoded<SyncMessage> decode_sync(Bytes body) {
  Reader in(body, "sync");
  in.set_field("kind");
  const std::uint8_t kind = in.u8();
  SyncMessage message;
  message.header.from_responder = (kind & from_responder_bit) != 0;
  in.set_field("exchange");
  message.header.exchange = ExchangeId{in.u32()};
  if (!in.ok()) return std::unexpected(in.error());
  switch (SyncKind{static_cast<std::uint8_t>(kind & ~from_responder_bit)}) {
    case SyncKind::digest:
      message.body = read_digest(in);
      break;
    case SyncKind::differing:
      message.body = read_differing(in);
      break;
    case SyncKind::cells_wanted:
      message.body = read_cells_wanted(in);
      break;
    case SyncKind::cells:
      message.body = read_cells(in);
      break;
    case SyncKind::want:
      message.body = read_want(in);
      break;
    case SyncKind::range_wanted:
      message.body = read_range_wanted(in);
      break;
    case SyncKind::records:
      message.body = read_records(in);
      break;
    case SyncKind::finished:
      message.body = read_finished(in);
      break;
    default:
      in.set_field("kind");
      in.fail_at(WireFault::unsupported, 0);
  }
  if (!in.ok()) return std::unexpected(in.error());
  return message;
}

void encode(const SyncHeader& header, const SyncDigest& message, Writer& out) {
  put_header(SyncKind::digest, header, out);
  out.u64(message.root);
  out.u32(message.count);
  out.u8(message.byte);
  out.u8(message.fold_log2);
  out.u16(message.first_bucket);
  out.u16(static_cast<std::uint16_t>(message.sums.size()));
  out.put(message.sums);
  out.put(message.cells.raw());
}

void encode(const SyncHeader& header, const SyncDiffering& message, Writer& out) {
  put_header(SyncKind::differing, header, out);
  out.u64(message.root);
  out.u32(message.count);
  out.u32(message.cells_held);
  out.u8(message.fold_log2);
  out.u16(message.first_bucket);
  out.u16(message.buckets);
  out.put(message.bitmap);
  out.put(message.cells.raw());
}

void encode(const SyncHeader& header, const SyncCellsWanted& message, Writer& out) {
  put_header(SyncKind::cells_wanted, header, out);
  out.u32(message.first);
  out.u32(message.count);
}

void encode(const SyncHeader& header, const SyncCellsPart& message, Writer& out) {
  put_header(SyncKind::cells, header, out);
  out.u64(message.root);
  out.u32(message.first);
  out.put(message.cells.raw());
}

void encode(const SyncHeader& header, const SyncWant& message, Writer& out) {
  put_header(SyncKind::want, header, out);
  out.u8(message.last ? want_last : std::uint8_t{0});
  out.put(message.symbols.raw());
}

void encode(const SyncHeader& header, const SyncRangeWanted& message, Writer& out) {
  put_header(SyncKind::range_wanted, header, out);
  out.u16(message.first_bucket);
  out.u16(message.buckets);
  out.u16(message.page);
  out.u64(message.sum);
}

void encode(const SyncHeader& header, const SyncRecords& message, Writer& out) {
  put_header(SyncKind::records, header, out);
  out.u8(message.flags);
  if (message.of_range()) {
    out.u16(message.range.first_bucket);
    out.u16(message.range.buckets);
    out.u16(message.range.page);
    out.u16(message.range.last_page);
    out.u64(message.range.sum);
  }
  out.put(message.records);
}

void encode(const SyncHeader& header, const SyncFinished& message, Writer& out) {
  put_header(SyncKind::finished, header, out);
  out.u8(message.serial);
  out.u64(message.root);
  out.u32(message.count);
}

void put_cell(const SyncCell& cell, Writer& out) {
  out.u64(cell.sum);
  out.u32(cell.check);
  out.u8(cell.count);
}

}  // namespace starling
