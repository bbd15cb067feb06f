#include "core/digest/exchange.h"

#include <algorithm>
#include <bit>

#include "core/digest/answer.h"
#include "core/digest/cell_sender.h"

namespace starling {

namespace {

// The opening: 512 groups of buckets and cells enough for about nine symbols, in 750 bytes.
constexpr std::uint32_t coarse_log2 = 9;
constexpr std::uint32_t coarse_groups = 1U << coarse_log2;
constexpr std::uint32_t opening_cells = 16;
// Refining: all buckets in parts that fit into every room.
constexpr std::uint32_t fine_parts = 8;
constexpr std::uint32_t fine_part_groups = bucket_count / fine_parts;
constexpr std::uint32_t all_parts = (1U << fine_parts) - 1;
// Requests for cells under way, each answered with about eight datagrams.
constexpr std::uint32_t cell_requests_max = 4;
// Gaps asked for at one time-out.
constexpr std::uint32_t gaps_max = 16;
// Wants of a responder that are followed in one round; it sends one.
constexpr std::uint32_t wants_max = 4;
// A round that found no less than the one before was in vain, most likely: rows that one side
// refuses. So few are tried again all the same, because loss may be the reason.
constexpr std::uint32_t found_small = 64;
// More may be in vain once: rows that were still on their way when both said where they stand.
constexpr std::uint32_t in_vain_max = 2;
// What streaming found: more than any number of symbols.
constexpr std::uint32_t found_streaming = UINT32_MAX / 2;

}  // namespace

Exchange::Exchange(Arena& arena, const ExchangeOptions& options)
    : options_(options), decoder_(DecoderSpace::make(arena, options.cells_max)), stream_(arena) {
  CHECK(options.room >= sync_room_min);
}

std::size_t Exchange::footprint(const ExchangeOptions& options) {
  Footprint sum;
  sum.add(DecoderSpace::footprint(options.cells_max));
  sum.add(RangeStream::footprint());
  return sum.total();
}

void Exchange::begin(Instant now, ExchangeId id, const Endpoint& peer, RecordSource& source) {
  first_id_ = id;
  peer_ = peer;
  outcome_ = {};
  serial_ = 0;
  deadline_ = now + options_.deadline;
  found_ = found_before_ = UINT32_MAX;
  in_vain_ = 0;
  SyncOutbox out(source, peer_, options_.room);
  open(now, out);
  count(out);
}

void Exchange::on_message(Instant now, const Endpoint& from, const SyncMessage& message,
                          std::size_t bytes, RecordSource& source) {
  if (!running() || from != peer_ || message.header.exchange != id_) return;
  if (!message.header.from_responder) return;
  ++outcome_.messages_in;
  outcome_.bytes_in += bytes;
  if (outcome_.messages_in > options_.messages_max) return end(ExchangeEnd::overrun);
  SyncOutbox out(source, peer_, options_.room);
  std::visit([&](const auto& body) { on(now, body, out); }, message.body);
  count(out);
}

void Exchange::on_time(Instant now, RecordSource& source) {
  if (!running()) return;
  if (now >= deadline_) return end(ExchangeEnd::overrun);
  SyncOutbox out(source, peer_, options_.room);
  if (phase_ == Phase::streaming) {
    if (!stream_.on_time(now, header(), out)) end(ExchangeEnd::silent);
  } else if (now >= due_) {
    if (++asks_ >= options_.asks_max) return end(ExchangeEnd::silent);
    due_ = now + options_.answer_wait;
    ++outcome_.asked_again;
    ask_again(out);
  }
  count(out);
}

std::optional<Instant> Exchange::next_due() const {
  if (!running()) return std::nullopt;
  const Instant due = phase_ == Phase::streaming ? stream_.next_due().value_or(deadline_) : due_;
  return std::min(due, deadline_);
}

void Exchange::count(const SyncOutbox& out) {
  outcome_.messages_out += out.traffic().messages;
  outcome_.bytes_out += out.traffic().bytes;
}

void Exchange::wait_in(Phase phase, Instant now) {
  phase_ = phase;
  due_ = now + options_.answer_wait;
  asks_ = 0;
  ++outcome_.round_trips;
}

void Exchange::ask_again(SyncOutbox& out) {
  switch (phase_) {
    case Phase::opening:
      return send_opening(out);
    case Phase::refining:
      return send_refining(out);
    case Phase::fetching:
      return ask_for_gaps(out);
    case Phase::delivering: {
      const Root root = out.source().digest().root();
      return out.send(header(), SyncFinished{serial_, root.sum, root.count});
    }
    case Phase::idle:
    case Phase::streaming:
      return;
  }
}

// --- Opening ---

void Exchange::open(Instant now, SyncOutbox& out) {
  // Each round has a number of its own: what is late from the one before does not disturb.
  id_ = ExchangeId{to_number(first_id_) + outcome_.rounds};
  ++outcome_.rounds;
  delivery_.begin({});
  found_before_ = found_;
  found_ = 0;
  wants_ = 0;
  stream_.clear();
  wait_in(Phase::opening, now);
  send_opening(out);
}

std::uint32_t Exchange::cells_usable(const DigestSum& digest) const {
  return std::min(digest.cells(), options_.cells_max);
}

void Exchange::begin_decoding(const DigestSum& digest, std::uint32_t cells) {
  digest.copy_cells(0, decoder_.begin(digest.key(), cells));
}

void Exchange::send_opening(SyncOutbox& out) {
  const DigestSum& digest = out.source().digest();
  std::array<Cell, opening_cells> room;
  const std::span<Cell> cells =
      std::span(room).first(std::min(opening_cells, cells_usable(digest)));
  opened_ = digest.copy_cells(0, cells);
  std::array<std::uint8_t, coarse_groups> sums;
  digest.fold(coarse_log2, 0, byte_of_round(), sums);
  Writer message = out.blank();
  encode(header(),
         SyncDigest{.root = opened_.sum,
                    .count = opened_.count,
                    .byte = byte_of_round(),
                    .fold_log2 = coarse_log2,
                    .sums = std::as_bytes(std::span(sums))},
         message);
  for (const Cell& cell : cells) put_cell(wire_cell(cell), message);
  CHECK(message.ok());
  out.send(message.written());
}

void Exchange::on(Instant now, const SyncDiffering& message, SyncOutbox& out) {
  if (phase_ == Phase::opening && message.fold_log2 == coarse_log2 &&
      message.buckets == coarse_groups) {
    on_coarse(now, message, out);
  } else if (phase_ == Phase::refining && message.fold_log2 == bucket_bits &&
             message.buckets == fine_part_groups) {
    on_fine(now, message, out);
  }
}

void Exchange::on_coarse(Instant now, const SyncDiffering& message, SyncOutbox& out) {
  const DigestSum& digest = out.source().digest();
  peer_root_ = {message.root, message.count};
  peer_cells_ = message.cells_held;
  std::uint32_t differing = 0;
  for (std::uint32_t group = 0; group < coarse_groups; ++group) {
    if (!message.differs(group)) continue;
    stream_.mark(coarse_log2, group);
    ++differing;
  }
  const double rows = estimate_difference(differing, coarse_groups);
  const bool saturated = is_saturated(differing, coarse_groups);
  if (too_many_for_cells(rows)) return stream(now, out);
  if (saturated) {
    parts_answered_ = fine_differing_ = 0;
    stream_.clear();
    wait_in(Phase::refining, now);
    return send_refining(out);
  }
  if (message.cells.size() == 0) return choose(now, rows, out);
  // The responder reckons as we do: so many cells are on their way.
  const std::uint32_t target = cells_for(rows, opened_.count, message.count);
  fetch(now, std::min(target, cells_of_a_request(out.room())), target, out);
  begin_decoding(digest, std::min(peer_cells_, cells_usable(digest)));
  take_cells(now, 0, message.cells, out);
}

void Exchange::on(Instant now, const SyncRecords& message, SyncOutbox& out) {
  if (message.of_range()) {
    if (phase_ != Phase::streaming) return;
    stream_.on_page(now, message, header(), out);
    if (stream_.done()) after_stream(now, out);
    return;
  }
  apply_records(message, header(), out, [&](NameHash) {
    if (phase_ == Phase::opening) ++found_;
  });
  if (message.last() && phase_ == Phase::opening) deliver(now, out);
}

void Exchange::on(Instant now, const SyncWant& message, SyncOutbox& out) {
  if (phase_ != Phase::opening || ++wants_ > wants_max) return;
  std::array<Symbol, sync_want_symbols_max> symbols;
  const std::size_t count = message.symbols.size();
  for (std::size_t i = 0; i < count; ++i) symbols[i] = Symbol{message.symbols[i]};
  std::sort(symbols.begin(), symbols.begin() + static_cast<std::ptrdiff_t>(count));
  RecordSender sender(out, header(), 0);
  RecordSource& source = out.source();
  send_records_of(source.keep_own(std::span(symbols).first(count), header(), out.to()), source,
                  sender);
  sender.finish(false);
  found_ += static_cast<std::uint32_t>(count);
  if (message.last) deliver(now, out);
}

// --- Refining ---

void Exchange::send_refining(SyncOutbox& out) {
  const DigestSum& digest = out.source().digest();
  for (std::uint32_t part = 0; part < fine_parts; ++part) {
    if ((parts_answered_ >> part & 1) != 0) continue;
    std::array<std::uint8_t, fine_part_groups> sums;
    digest.fold(bucket_bits, part * fine_part_groups, byte_of_round(), sums);
    out.send(header(),
             SyncDigest{.root = digest.root().sum,
                        .count = digest.root().count,
                        .fold_log2 = bucket_bits,
                        .first_bucket = static_cast<std::uint16_t>(part * fine_part_groups),
                        .sums = std::as_bytes(std::span(sums))});
  }
}

void Exchange::on_fine(Instant now, const SyncDiffering& message, SyncOutbox& out) {
  const std::uint32_t part = message.first_bucket / fine_part_groups;
  if (message.first_bucket % fine_part_groups != 0 || (parts_answered_ >> part & 1) != 0) return;
  parts_answered_ |= 1U << part;
  asks_ = 0;
  peer_root_ = {message.root, message.count};
  peer_cells_ = message.cells_held;
  for (std::uint32_t group = 0; group < message.buckets; ++group) {
    if (!message.differs(group)) continue;
    stream_.mark(bucket_bits, message.first_bucket + group);
    ++fine_differing_;
  }
  if (parts_answered_ != all_parts) return;
  if (is_saturated(fine_differing_, bucket_count)) return stream(now, out);
  choose(now, estimate_difference(fine_differing_, bucket_count), out);
}

// --- Cells ---

bool Exchange::too_many_for_cells(double rows) const {
  const std::uint32_t larger = std::max(opened_.count, peer_root_.count);
  const std::uint32_t lacking = larger - std::min(opened_.count, peer_root_.count);
  const double differing = std::max(rows, static_cast<double>(lacking));
  return differing >= options_.stream_rows_min ||
         differing * 100 >= static_cast<double>(larger) * options_.stream_percent_min ||
         cells_for(rows, opened_.count, peer_root_.count) >
             std::min(peer_cells_, options_.cells_max);
}

void Exchange::choose(Instant now, double rows, SyncOutbox& out) {
  const DigestSum& digest = out.source().digest();
  const std::uint32_t usable = std::min(peer_cells_, cells_usable(digest));
  const std::uint32_t target = cells_for(rows, opened_.count, peer_root_.count);
  if (too_many_for_cells(rows) || target > usable) return stream(now, out);
  fetch(now, 0, target, out);
  begin_decoding(digest, usable);
  ask_for_cells(out);
}

void Exchange::fetch(Instant now, std::uint32_t asked, std::uint32_t target,
                     const SyncOutbox& out) {
  cells_asked_ = asked;
  cells_target_ = target;
  cells_waited_for_ = asked > 0 ? asked : cell_requests_max * cells_of_a_request(out.room());
  wait_in(Phase::fetching, now);
}

void Exchange::ask_for_cells(SyncOutbox& out) {
  const std::uint32_t request = cells_of_a_request(out.room());
  const std::uint32_t target = std::min(cells_target_, decoder_.cells_max());
  while (cells_asked_ < target &&
         cells_asked_ - decoder_.first_missing() < cell_requests_max * request) {
    const std::uint32_t wanted = std::min(request, target - cells_asked_);
    out.send(header(), SyncCellsWanted{.first = cells_asked_, .count = wanted});
    cells_asked_ += wanted;
  }
}

void Exchange::ask_for_gaps(SyncOutbox& out) {
  const std::uint32_t end = std::min(cells_asked_, decoder_.cells_max());
  std::uint32_t gaps = 0;
  for (std::uint32_t i = decoder_.first_missing(); i < end && gaps < gaps_max; ++gaps) {
    const std::uint32_t first = i;
    while (i < end && i - first < cells_of_a_request(out.room()) && !decoder_.has(i)) ++i;
    out.send(header(), SyncCellsWanted{.first = first, .count = i - first});
    while (i < end && decoder_.has(i)) ++i;
  }
}

void Exchange::on(Instant now, const SyncCellsPart& message, SyncOutbox& out) {
  if (phase_ != Phase::fetching) return;
  // The peer's table has changed: its cells no longer fit those we have.
  if (message.root != peer_root_.sum) return start_over(now, out);
  take_cells(now, message.first, message.cells, out);
}

void Exchange::take_cells(Instant now, std::uint32_t first, const SyncCells& cells,
                          SyncOutbox& out) {
  if (first >= decoder_.cells_max()) return;
  const std::size_t count = std::min<std::size_t>(cells.size(), decoder_.cells_max() - first);
  const std::uint32_t had = decoder_.cells();
  for (std::uint32_t i = 0; i < count; ++i) decoder_.give(first + i, cell_of(cells[i]));
  if (decoder_.cells() == had) return;  // a double
  due_ = now + options_.answer_wait;
  asks_ = 0;
  switch (decoder_.peel()) {
    case Decoder::Progress::decoded: {
      found_ = static_cast<std::uint32_t>(decoder_.differences().size());
      outcome_.differences += found_;
      delivery_.begin(decoder_.differences());
      return deliver(now, out);
    }
    case Decoder::Progress::hopeless:
      return decoder_.cells() == decoder_.cells_max() ? stream(now, out) : start_over(now, out);
    case Decoder::Progress::more:
      break;
  }
  if (decoder_.first_missing() >= cells_target_) {
    // A few per cent more at a time: cells are bytes, too few are round trips.
    cells_target_ += std::max(64U, cells_target_ / 32);
  }
  if (decoder_.first_missing() >= cells_waited_for_) {
    cells_waited_for_ = std::max(cells_asked_, decoder_.first_missing() + 1);
    ++outcome_.round_trips;
  }
  ask_for_cells(out);
}

// --- Delivering, and the end ---

void Exchange::deliver(Instant now, SyncOutbox& out) {
  if (!delivery_.done()) delivery_.send_burst(header(), out);
  say_where_we_stand(now, out);
}

void Exchange::say_where_we_stand(Instant now, SyncOutbox& out) {
  ++serial_;
  if (serial_ == 0) ++serial_;  // zero answers a digest
  wait_in(Phase::delivering, now);
  ask_again(out);
}

void Exchange::on(Instant now, const SyncFinished& message, SyncOutbox& out) {
  const Root peer{message.root, message.count};
  if (phase_ == Phase::opening && message.serial == 0) {
    // Equal to what we opened with, even if a row has changed since.
    if (peer == opened_) end(ExchangeEnd::converged);
    return;
  }
  if (phase_ != Phase::delivering || message.serial != serial_) return;
  if (!delivery_.done()) return deliver(now, out);
  if (peer == out.source().digest().root()) return end(ExchangeEnd::converged);
  next_round(now, out);
}

void Exchange::next_round(Instant now, SyncOutbox& out) {
  if (found_ >= found_before_ && found_ > found_small) {
    in_vain_ += found_ < found_streaming ? 1 : in_vain_max;
  }
  if (outcome_.rounds >= options_.rounds_max || in_vain_ >= in_vain_max) {
    return end(ExchangeEnd::differing);
  }
  open(now, out);
}

// This round found nothing out, so it says nothing about whether the next is worth while.
void Exchange::start_over(Instant now, SyncOutbox& out) {
  if (outcome_.rounds >= options_.rounds_max) return end(ExchangeEnd::differing);
  found_ = found_before_;
  open(now, out);
}

// --- Streaming ---

void Exchange::stream(Instant now, SyncOutbox& out) {
  // More than any number of symbols, less than before the first round: streamed again it is in
  // vain.
  found_ = UINT32_MAX - 1;
  phase_ = Phase::streaming;
  const RangeStream::Pace pace{.answer_wait = options_.answer_wait, .asks_max = options_.asks_max};
  stream_.begin(now, pace, std::max(opened_.count, peer_root_.count), header(), out);
  if (stream_.done()) after_stream(now, out);
}

void Exchange::after_stream(Instant now, SyncOutbox& out) {
  outcome_.round_trips += stream_.waves();
  outcome_.ranges += stream_.ranges();
  // Streaming again is worth while for half as many ranges.
  found_ = found_streaming + static_cast<std::uint32_t>(std::bit_width(stream_.ranges()));
  outcome_.asked_again += stream_.asked_again();
  delivery_.begin({});
  say_where_we_stand(now, out);
}

}  // namespace starling
