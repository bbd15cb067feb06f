#include "core/digest/answer.h"

#include <algorithm>
#include <bit>

#include "core/digest/cell_sender.h"
#include "core/digest/range_window.h"
#include "core/digest/record_sender.h"

namespace starling {

namespace {

// Cells of an opening digest that are tried, on the stack.
constexpr std::size_t opening_cells_max = 32;

class Responder {
 public:
  Responder(const SyncHeader& asked, SyncOutbox& out)
      : header_{.exchange = asked.exchange, .from_responder = !asked.from_responder},
        out_(out),
        source_(out.source()),
        digest_(out.source().digest()) {}

  void operator()(const SyncDigest& message) {
    const bool whole = message.first_bucket == 0 && message.sums.size() == std::size_t{1}
                                                                               << message.fold_log2;
    if (whole && message.root == digest_.root().sum && message.count == digest_.count()) {
      return say_finished(0);
    }
    if (whole && decode_opening(message)) return;
    say_differing(message, whole);
  }

  void operator()(const SyncCellsWanted& message) {
    send_cells(header_, message.first, std::min(message.count, cells_of_a_request(out_.room())),
               out_);
  }

  void operator()(const SyncWant& message) {
    std::array<Symbol, sync_want_symbols_max> symbols;
    const std::size_t count = message.symbols.size();
    for (std::size_t i = 0; i < count; ++i) symbols[i] = Symbol{message.symbols[i]};
    std::sort(symbols.begin(), symbols.begin() + static_cast<std::ptrdiff_t>(count));
    RecordSender sender(out_, header_, 0);
    send_records_of(source_.keep_own(std::span(symbols).first(count), header_, out_.to()), source_,
                    sender);
    sender.finish(false);
  }

  void operator()(const SyncRangeWanted& message);

  void operator()(const SyncRecords& message) {
    if (message.of_range()) return;  // only a responder sends those
    take(message);
  }
  void take(const SyncRecords& message) {
    apply_records(message, header_, out_, [](NameHash) {});
  }

  void operator()(const SyncFinished& message) { say_finished(message.serial); }

  // What only a responder sends.
  void operator()(const SyncDiffering&) {}
  void operator()(const SyncCellsPart&) {}

 private:
  void say_finished(std::uint8_t serial) {
    out_.send(header_, SyncFinished{serial, digest_.root().sum, digest_.count()});
  }
  // Whether the difference could be told from the cells of the opening; if so all is sent.
  bool decode_opening(const SyncDigest& message);
  void send_differences(std::span<const Difference> differences);
  std::uint32_t cells_after(const SyncDigest& message, std::uint32_t differing,
                            std::uint32_t groups) const;
  void say_differing(const SyncDigest& message, bool whole);

  SyncHeader header_;
  SyncOutbox& out_;
  RecordSource& source_;
  const DigestSum& digest_;
};

bool Responder::decode_opening(const SyncDigest& message) {
  const std::size_t cells =
      std::min({message.cells.size(), opening_cells_max, std::size_t{digest_.cells()}});
  if (cells == 0) return false;
  SmallDecoderSpace<opening_cells_max> space;
  Decoder decoder(space.space());
  digest_.copy_cells(0, decoder.begin(digest_.key(), static_cast<std::uint32_t>(cells)));
  for (std::uint32_t i = 0; i < cells; ++i) decoder.give(i, cell_of(message.cells[i]));
  if (decoder.peel() != Decoder::Progress::decoded || decoder.differences().empty()) return false;
  std::ranges::sort(decoder.differences(), {}, &Difference::symbol);
  send_differences(decoder.differences());
  return true;
}

// Ours go out. Theirs are wanted, unless we have sent a row of the same name: if theirs is newer
// they will say so.
void Responder::send_differences(std::span<const Difference> differences) {
  std::array<Symbol, opening_cells_max> ours;
  std::size_t ours_count = 0;
  for (const Difference& difference : differences) {
    if (difference.holder == Holder::ours) ours[ours_count++] = difference.symbol;
  }
  const std::span<Symbol> sent = std::span(ours).first(ours_count);
  std::array<std::byte, opening_cells_max * sync_symbol_bytes> wanted;
  Writer wants(wanted);
  for (const Difference& difference : differences) {
    const auto same_name = [&](Symbol symbol) {
      return name_part(symbol) == name_part(difference.symbol);
    };
    if (difference.holder == Holder::ours || std::ranges::any_of(sent, same_name)) continue;
    wants.u64(to_number(difference.symbol));
  }
  const bool want = wants.size() > 0;
  RecordSender sender(out_, header_, 0);
  send_records_of(source_.keep_own(sent, header_, out_.to()), source_, sender);
  sender.finish(!want);
  if (want) out_.send(header_, SyncWant{.last = true, .symbols = SyncSymbols(wants.written())});
}

// How many cells are sent without being asked for. Not where sums alone were asked for, nor where
// they cannot tell how many cells would do.
std::uint32_t Responder::cells_after(const SyncDigest& message, std::uint32_t differing,
                                     std::uint32_t groups) const {
  if (message.cells.size() == 0 || is_saturated(differing, groups)) return 0;
  const std::uint32_t wanted =
      cells_for(estimate_difference(differing, groups), message.count, digest_.count());
  if (wanted > digest_.cells()) return 0;
  return std::min({wanted, cells_of_a_request(out_.room()), request_cells_max});
}

void Responder::say_differing(const SyncDigest& message, bool whole) {
  std::array<std::uint8_t, bucket_count> ours;
  const std::span<std::uint8_t> sums = std::span(ours).first(message.sums.size());
  digest_.fold(message.fold_log2, message.first_bucket, message.byte, sums);
  std::array<std::byte, bucket_count / 8> bitmap{};
  std::uint32_t differing = 0;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    if (sums[i] == std::to_integer<std::uint8_t>(message.sums[i])) continue;
    bitmap[i / 8] |= std::byte{0x80} >> (i % 8);
    ++differing;
  }
  const auto groups = static_cast<std::uint16_t>(sums.size());
  std::array<Cell, request_cells_max> room;
  const std::span<Cell> cells =
      std::span(room).first(whole ? cells_after(message, differing, groups) : 0);
  const Root root = digest_.copy_cells(0, cells);
  const SyncDiffering answer{
      .root = root.sum,
      .count = root.count,
      .cells_held = digest_.cells(),
      .fold_log2 = message.fold_log2,
      .first_bucket = message.first_bucket,
      .buckets = groups,
      .bitmap = Bytes(bitmap).first((std::size_t{groups} + 7) / 8),
  };
  Writer out = out_.blank();
  encode(header_, answer, out);
  if (!out.ok()) return;  // more groups than a message of this room can tell of
  std::uint32_t sent = 0;
  for (; sent < cells.size() && out.room() >= sync_cell_bytes; ++sent) {
    put_cell(wire_cell(cells[sent]), out);
  }
  out_.send(out.written());
  send_cells(header_, root.sum, sent, cells.subspan(sent), out_);
}

// Pages are cut where a datagram is full, so the rows before a page are packed again to find its
// start: a range is some pages only. Of `of` lanes that have rows of the range each has every
// `of`th page for its own; the peer knows how many there are once each has sent its first.
void Responder::operator()(const SyncRangeWanted& message) {
  const Bucket first{message.first_bucket};
  SyncRecords answer{.flags = SyncRecords::flag_range,
                     .range = {.first_bucket = message.first_bucket,
                               .buckets = message.buckets,
                               .page = message.page,
                               .last_page = message.page,
                               .sum = digest_.sum(first, message.buckets)}};
  if (answer.range.sum == message.sum) return out_.send(header_, answer);
  std::array<std::byte, sync_message_bytes_max> rest;  // pages that are not asked for
  Writer wanted = out_.blank();
  Writer other(MutableBytes(rest).first(out_.room()));
  encode(header_, answer, wanted);
  encode(header_, answer, other);
  const std::size_t head = wanted.size();
  const RecordSource::Turn turn = source_.turn_at(first, message.buckets);
  std::uint32_t page = turn.place;
  std::optional<SyncRecordWriter> records;
  records.emplace(page == message.page ? wanted : other);
  auto visit = [&](const MemberRecord& record) {
    if (records->add(to_wire(record))) return true;
    page += turn.of;
    other.rewind(head);
    records.emplace(page == message.page ? wanted : other);
    CHECK(records->add(to_wire(record)));
    return page < range_pages_max;
  };
  source_.for_each_in_buckets(first, message.buckets, RecordVisitor(visit));
  // The others' first pages are to be asked for in any case.
  const std::uint32_t last = std::max(page, turn.of - 1);
  page = std::max(std::min(last, range_pages_max - 1), std::uint32_t{message.page});
  wanted.patch_u16(sync_last_page_offset, static_cast<std::uint16_t>(page));
  out_.send(wanted.written());
}

}  // namespace

void answer(const Endpoint& from, const SyncMessage& message, std::size_t room,
            RecordSource& source) {
  CHECK(room >= sync_room_min);
  if (message.header.from_responder) return;
  SyncOutbox out(source, from, room);
  std::visit(Responder(message.header, out), message.body);
}

void answer_part(const Endpoint& from, const SyncMessage& message, std::size_t room,
                 RecordSource& source) {
  CHECK(room >= sync_room_min);
  SyncOutbox out(source, from, room);
  Responder responder(message.header, out);
  if (const auto* records = std::get_if<SyncRecords>(&message.body))
    return responder.take(*records);
  if (const auto* want = std::get_if<SyncWant>(&message.body)) return responder(*want);
  if (const auto* range = std::get_if<SyncRangeWanted>(&message.body)) return responder(*range);
}

}  // namespace starling
