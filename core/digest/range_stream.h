// RangeStream: fetches the rows of many buckets from the peer and sends ours that it has not.
//
// The initiator asks for a window of ranges, each page by page, so nothing comes that was not asked
// for. What does not come is asked for again. A range whose sums are equal costs one small message
// each way, so a stream that was broken off goes on where it was. Part of an exchange.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "core/digest/range_window.h"
#include "core/digest/record_sender.h"

namespace starling {

class RangeStream {
 public:
  explicit RangeStream(Arena& arena) : window_(arena) {}
  static std::size_t footprint() { return RangeWindow::footprint(); }

  // Which buckets: none, then those marked. A group is 4096 >> fold_log2 buckets.
  void clear();
  void mark(std::uint32_t fold_log2, std::uint32_t group);
  void mark_all();

  struct Pace {
    Duration answer_wait{};
    std::uint32_t asks_max = 0;
  };
  // Starts asking. `rows`: of the larger table.
  void begin(Instant now, const Pace& pace, std::uint32_t rows, const SyncHeader& header,
             SyncOutbox& out);
  void on_page(Instant now, const SyncRecords& message, const SyncHeader& header, SyncOutbox& out);
  // False: a range was asked for asks_max times in vain.
  bool on_time(Instant now, const SyncHeader& header, SyncOutbox& out);

  bool done() const { return window_.empty() && next_bucket_ == bucket_count; }
  std::optional<Instant> next_due() const;
  // Round trips that followed each other.
  std::uint32_t waves() const { return waves_; }
  std::uint32_t ranges() const { return ranges_; }
  std::uint32_t asked_again() const { return asked_again_; }

 private:
  bool marked(std::uint32_t bucket) const { return (marks_[bucket / 8] >> bucket % 8 & 1) != 0; }
  void fill(Instant now, std::uint32_t wave, const SyncHeader& header, SyncOutbox& out);
  void ask(const RangeSlot& slot, std::uint32_t page, const SyncHeader& header, SyncOutbox& out);
  // Asks for the pages that have not been asked for.
  void ask_on(RangeSlot& slot, const SyncHeader& header, SyncOutbox& out);
  void finish(RangeSlot& slot, const SyncHeader& header, SyncOutbox& out);

  RangeWindow window_;
  std::array<std::uint8_t, bucket_count / 8> marks_{};
  Pace pace_;
  std::uint32_t next_bucket_ = 0;
  std::uint32_t range_buckets_ = 1;
  std::uint32_t waves_ = 0;
  std::uint32_t ranges_ = 0;
  std::uint32_t asked_again_ = 0;
};

}  // namespace starling
