// Exchange: makes two member tables equal with as few bytes as their difference needs.
//
// The initiator's side: all state of a reconciliation is here. The other side answers each message
// from its table alone (answer.h). The course, cheapest first:
//
//   opening     our digest, folded to 512 bytes, and the first 16 cells. Equal: finished. A few
//   rows
//               differ: the responder knows which from the cells, and sends and wants them at once.
//   fetching    more differ: the responder says which buckets, and sends cells for that many rows;
//               more are asked for until they are decoded (rateless.h).
//   refining    nearly all of 512 buckets differ: how many rows, tell 4096.
//   delivering  decoded: our rows go out, the peer's are asked for, a burst at a time.
//   streaming   too many differ, or one side is nearly empty: the differing buckets are fetched row
//   by
//               row, a window of them at a time, and our rows that did not come go the other way.
//   verifying   both say where they stand. Not equal, and less differed than the time before:
//   again.
//
// Datagrams may be lost, doubled or reordered: what is missing is asked for again, a lost row shows
// in verifying. Rows may change meanwhile: a later exchange finds what this one missed. A peer that
// lies or falls silent costs bounded memory, messages and time. Owned by one shard, used by its
// thread; reusable. Allocates nothing after construction.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "core/base/arena.h"
#include "core/base/time.h"
#include "core/digest/range_window.h"
#include "core/digest/rateless.h"
#include "core/digest/record_source.h"
#include "wire/sync.h"

namespace starling {

struct ExchangeOptions {
  // Longest prefix of cells that is decoded; no more than the table has is of use. 40 bytes each.
  std::uint32_t cells_max = 4096;
  // Longest message, type byte included; at least sync_room_min, and of use up to
  // sync_message_bytes_max.
  std::size_t room = sync_message_bytes_max;
  // How long to wait for an answer before asking again, and how often to ask.
  Duration answer_wait = std::chrono::milliseconds(300);
  std::uint32_t asks_max = 5;
  // After this an exchange is given up, wherever it is. A million rows take seconds to stream.
  Duration deadline = std::chrono::seconds(60);
  // How often the whole course is gone through, verifying in between.
  std::uint32_t rounds_max = 4;
  // From so many differing rows on, or this part of all rows, streaming needs fewer bytes or less
  // computing than cells.
  std::uint32_t stream_rows_min = 15'000;
  std::uint32_t stream_percent_min = 8;
  // Messages accepted from the peer: twice what a million rows of 60 bytes need.
  std::uint32_t messages_max = 100'000;
};

enum class ExchangeEnd : std::uint8_t {
  running,
  converged,  // both tables are equal
  differing,  // everything was done and they are not: rows changed, or one side refuses some
  silent,     // the peer stopped answering
  overrun,    // the deadline or messages_max was reached
};

struct Outcome {
  ExchangeEnd end = ExchangeEnd::running;
  std::uint64_t bytes_out = 0, bytes_in = 0;  // messages, type byte included
  std::uint32_t messages_out = 0, messages_in = 0;
  std::uint32_t round_trips = 0;  // answers that had to be waited for, one after the other
  std::uint32_t rounds = 0;       // times through the course
  std::uint32_t differences = 0;  // symbols that one side had alone, found by cells; all rounds
  std::uint32_t ranges = 0;       // streamed
  std::uint32_t asked_again = 0;  // time-outs
  bool converged() const { return end == ExchangeEnd::converged; }
};

class Exchange {
 public:
  Exchange(Arena& arena, const ExchangeOptions& options);
  static std::size_t footprint(const ExchangeOptions& options);

  // Starts, from whatever state; sends. `id` must differ from those of other exchanges that run
  // with this peer, and should from those lately ended.
  void begin(Instant now, ExchangeId id, const Endpoint& peer, RecordSource& source);
  // A message from the responder (header.from_responder). Whatever is not of this exchange is
  // ignored. `bytes`: the message's length, for the outcome.
  void on_message(Instant now, const Endpoint& from, const SyncMessage& message, std::size_t bytes,
                  RecordSource& source);
  // To be called at next_due() or later.
  void on_time(Instant now, RecordSource& source);
  std::optional<Instant> next_due() const;

  bool running() const { return outcome_.end == ExchangeEnd::running && phase_ != Phase::idle; }
  ExchangeId id() const { return id_; }
  const Endpoint& peer() const { return peer_; }
  const Outcome& outcome() const { return outcome_; }

 private:
  enum class Phase : std::uint8_t {
    idle,
    opening,
    refining,
    fetching,
    delivering,
    streaming,
    verifying,
  };
  class Outbox;

  void open(Instant now, Outbox& out);
  void send_opening(Outbox& out);
  void on_opening_answered(Instant now, Outbox& out);
  void on_differing(Instant now, const SyncDiffering& message, Outbox& out);
  void on_coarse(Instant now, const SyncDiffering& message, Outbox& out);
  void on_fine(Instant now, const SyncDiffering& message, Outbox& out);
  void refine(Instant now, Outbox& out);
  void send_refining(Outbox& out);
  // Cells or streaming, for about so many differing rows.
  void choose(Instant now, double rows, Outbox& out);
  void fetch(Instant now, double rows, Outbox& out);
  void ask_for_cells(Outbox& out);
  void ask_for_gaps(Outbox& out);
  void on_cells(Instant now, std::uint32_t first, const SyncCells& cells, std::uint64_t root,
                Outbox& out);
  void peel(Instant now, Outbox& out);
  void deliver(Instant now, Outbox& out);
  void deliver_burst(Instant now, Outbox& out);
  void stream(Instant now, Outbox& out);
  void fill_window(Instant now, std::uint32_t wave, Outbox& out);
  void ask_for_page(const RangeSlot& slot, std::uint16_t page, Outbox& out);
  void on_records(Instant now, const SyncRecords& message, Outbox& out);
  void on_page(Instant now, const SyncRecords& message, Outbox& out);
  void finish_range(Instant now, RangeSlot& slot, Outbox& out);
  void on_time_streaming(Instant now, Outbox& out);
  void on_want(const SyncWant& message, Outbox& out);
  void verify(Instant now, Outbox& out);
  void on_finished(Instant now, const SyncFinished& message, Outbox& out);
  void end(ExchangeEnd how);
  void wait_for(Phase phase, Instant now);
  SyncHeader header() const { return {.exchange = id_, .from_responder = false}; }

  ExchangeOptions options_;
  Decoder decoder_;
  RangeWindow window_;
  std::array<std::uint8_t, bucket_count / 8> differing_;  // a bit for each bucket, to be streamed
  ExchangeId id_{};
  Endpoint peer_;
  Phase phase_ = Phase::idle;
  Instant due_{};
  Instant deadline_{};
  std::uint32_t asks_ = 0;
  Outcome outcome_;
  // What the peer said about itself.
  std::uint64_t peer_root_ = 0;
  std::uint32_t peer_count_ = 0;
  std::uint32_t peer_cells_ = 0;
  // Refining.
  std::uint32_t parts_answered_ = 0;  // a bit for each
  std::uint32_t fine_differing_ = 0;
  // Fetching.
  std::uint32_t cells_asked_ = 0;
  std::uint32_t cells_target_ = 0;
  std::uint32_t restarts_ = 0;
  // Delivering: the next of the sorted differences.
  std::size_t delivered_ = 0;
  std::uint32_t found_ = 0;         // in this round
  std::uint32_t found_before_ = 0;  // in the round before
  std::uint32_t wants_answered_ = 0;
  // Streaming: the next bucket to ask for.
  std::uint32_t next_bucket_ = 0;
};

}  // namespace starling
