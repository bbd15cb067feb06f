#include "core/digest/range_stream.h"

#include <algorithm>

namespace starling {

namespace {

constexpr std::uint64_t page_bit(std::uint32_t page) {
  return std::uint64_t{1} << page;
}

}  // namespace

void RangeStream::clear() {
  window_.clear();
  marks_ = {};
  next_bucket_ = bucket_count;
  waves_ = ranges_ = asked_again_ = 0;
}

void RangeStream::mark(std::uint32_t fold_log2, std::uint32_t group) {
  const std::uint32_t buckets = 1U << (bucket_bits - fold_log2);
  for (std::uint32_t bucket = group * buckets; bucket < (group + 1) * buckets; ++bucket) {
    marks_[bucket / 8] |= static_cast<std::uint8_t>(1U << bucket % 8);
  }
}

void RangeStream::mark_all() {
  marks_.fill(0xff);
}

void RangeStream::begin(Instant now, const Pace& pace, std::uint32_t rows, const SyncHeader& header,
                        SyncOutbox& out) {
  window_.clear();
  pace_ = pace;
  next_bucket_ = 0;
  waves_ = 1;
  ranges_ = asked_again_ = 0;
  const std::uint64_t buckets = std::uint64_t{range_rows} * bucket_count / std::max(rows, 1U);
  range_buckets_ = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(buckets, 1, bucket_count));
  fill(now, 1, header, out);
}

void RangeStream::fill(Instant now, std::uint32_t wave, const SyncHeader& header, SyncOutbox& out) {
  for (;;) {
    while (next_bucket_ < bucket_count && !marked(next_bucket_)) ++next_bucket_;
    if (next_bucket_ == bucket_count) return;
    std::uint32_t end = next_bucket_;
    while (end < bucket_count && end - next_bucket_ < range_buckets_ && marked(end)) ++end;
    const Bucket first{static_cast<std::uint16_t>(next_bucket_)};
    RangeSlot* const slot = window_.open(first, end - next_bucket_);
    if (slot == nullptr) return;
    next_bucket_ = end;
    ++ranges_;
    slot->wave = wave;
    slot->sum_asked = out.source().digest().sum(first, slot->buckets);
    slot->pages_asked = page_bit(0);
    slot->due = now + pace_.answer_wait;
    ask(*slot, 0, header, out);
  }
}

void RangeStream::ask(const RangeSlot& slot, std::uint32_t page, const SyncHeader& header,
                      SyncOutbox& out) {
  out.send(header,
           SyncRangeWanted{.first_bucket = static_cast<std::uint16_t>(to_number(slot.first)),
                           .buckets = static_cast<std::uint16_t>(slot.buckets),
                           .page = static_cast<std::uint16_t>(page),
                           .sum = slot.sum_asked});
}

void RangeStream::ask_on(RangeSlot& slot, const SyncHeader& header, SyncOutbox& out) {
  for (std::uint32_t page = 0; page < slot.pages; ++page) {
    if ((slot.pages_asked & page_bit(page)) != 0) continue;
    slot.pages_asked |= page_bit(page);
    ask(slot, page, header, out);
  }
}

void RangeStream::on_page(Instant now, const SyncRecords& message, const SyncHeader& header,
                          SyncOutbox& out) {
  const SyncRange& range = message.range;
  RangeSlot* const slot = window_.find(Bucket{range.first_bucket}, range.buckets);
  if (slot == nullptr || range.page >= range_pages_max) return;
  if ((slot->pages_asked & page_bit(range.page)) == 0) return;
  if ((slot->pages_come & page_bit(range.page)) != 0) return;
  slot->pages_come |= page_bit(range.page);
  slot->sum_peer = range.sum;
  slot->due = now + pace_.answer_wait;
  slot->asks = 0;
  const std::uint32_t wave_before = slot->wave;
  if (range.sum == slot->sum_asked) {
    // Equal when we asked; no rows were sent.
    window_.close(*slot);
  } else {
    apply_records(message, header, out, [&](NameHash name) { RangeWindow::saw(*slot, name); });
    const std::uint32_t pages = std::min(range.last_page + 1U, range_pages_max);
    if (slot->pages == 0 && pages > 1) ++slot->wave;
    slot->pages = std::max(slot->pages, pages);
    ask_on(*slot, header, out);
    waves_ = std::max(waves_, slot->wave);
    if (!slot->complete()) return;
    finish(*slot, header, out);
  }
  const std::uint32_t next_wave = std::max(slot->wave, wave_before) + 1;
  const std::uint32_t ranges_before = ranges_;
  fill(now, next_wave, header, out);
  if (ranges_ != ranges_before) waves_ = std::max(waves_, next_wave);
}

void RangeStream::finish(RangeSlot& slot, const SyncHeader& header, SyncOutbox& out) {
  window_.close(slot);
  RecordSource& source = out.source();
  if (source.digest().sum(slot.first, slot.buckets) == slot.sum_peer) return;
  RecordSender sender(out, header, 0);
  auto visit = [&](const MemberRecord& record) {
    if (!RangeWindow::has_seen(slot, record.hash)) sender.add(record);
    return true;
  };
  source.for_each_in_buckets(slot.first, slot.buckets, RecordVisitor(visit));
  sender.finish(false);
  const RecordSource::Turn turn = source.turn_at(slot.first, slot.buckets);
  if (turn.of == 1 && turn.place == 0) return;  // all of them are here
  std::array<std::uint32_t, RangeSlot::fingerprints_max> room;
  source.send_unseen_of_others(slot.first, slot.buckets, RangeWindow::list(slot, room), header,
                               out.to());
}

bool RangeStream::on_time(Instant now, const SyncHeader& header, SyncOutbox& out) {
  for (RangeSlot& slot : window_.slots()) {
    if (!slot.used || now < slot.due) continue;
    if (++slot.asks >= pace_.asks_max) return false;
    slot.due = now + pace_.answer_wait;
    ++asked_again_;
    for (std::uint32_t page = 0; page < std::max(slot.pages, 1U); ++page) {
      if ((slot.pages_come & page_bit(page)) == 0) ask(slot, page, header, out);
    }
  }
  return true;
}

std::optional<Instant> RangeStream::next_due() const {
  std::optional<Instant> due;
  for (const RangeSlot& slot : window_.slots()) {
    if (slot.used && (!due || slot.due < *due)) due = slot.due;
  }
  return due;
}

}  // namespace starling
