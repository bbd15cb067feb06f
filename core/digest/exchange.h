// Exchange: makes two member tables equal with as few bytes as their difference needs.
//
// The initiator's side: all state of a reconciliation is here. The other side answers each message
// from its table alone (answer.h). The course, cheapest first:
//
//   opening     our digest, folded to 512 bytes, and the first 16 cells. Equal: finished. A few
//               rows differ: the responder sends them and wants ours at once.
//   fetching    more differ: the responder says which buckets, and sends cells for that many rows;
//               more are asked for until they are decoded (rateless.h).
//   refining    nearly all of 512 buckets differ: how many rows, tell 4096.
//   delivering  decoded: our rows go out, the peer's are asked for, a burst at a time.
//   streaming   too many differ, or one side is nearly empty: the rows of differing buckets are
//               fetched, a window at a time, and our rows that did not come go the other way.
//   verifying   both say where they stand. Not equal, but nearer than before: again.
//
// Datagrams may be lost, doubled or reordered: what is missing is asked for again, a lost row shows
// in verifying. Rows may change meanwhile: a later exchange finds what this one missed. A peer that
// lies or falls silent costs bounded memory, messages and time. Owned by one shard, used by its
// thread; reusable. Allocates nothing after construction.
#pragma once

#include <cstdint>
#include <optional>

#include "core/base/arena.h"
#include "core/base/time.h"
#include "core/digest/delivery.h"
#include "core/digest/range_stream.h"
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
  // How often the whole course is gone through.
  std::uint32_t rounds_max = 10;
  // From so many differing rows on, or from this part of all rows, the rows are streamed. Fewer are
  // too, when both sides' cells do not suffice. The first is as far as an estimate from 4096
  // buckets goes; at the second, cells and the rows they name cost as much as all rows.
  std::uint32_t stream_rows_min = 15'000;
  std::uint32_t stream_percent_min = 25;
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

struct ExchangeOutcome {
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
  // Ends it as if its time had run out: the digest begins anew.
  void abandon() {
    if (running()) end(ExchangeEnd::overrun);
  }

  bool running() const { return outcome_.end == ExchangeEnd::running && phase_ != Phase::idle; }
  // Of the messages that are expected now.
  ExchangeId id() const { return id_; }
  const Endpoint& peer() const { return peer_; }
  const ExchangeOutcome& outcome() const { return outcome_; }

 private:
  enum class Phase : std::uint8_t { idle, opening, refining, fetching, delivering, streaming };

  void open(Instant now, SyncOutbox& out);
  void send_opening(SyncOutbox& out);
  void on(Instant now, const SyncDiffering& message, SyncOutbox& out);
  void on(Instant now, const SyncCellsPart& message, SyncOutbox& out);
  void on(Instant now, const SyncRecords& message, SyncOutbox& out);
  void on(Instant now, const SyncWant& message, SyncOutbox& out);
  void on(Instant now, const SyncFinished& message, SyncOutbox& out);
  // What only an initiator sends.
  void on(Instant, const SyncDigest&, SyncOutbox&) {}
  void on(Instant, const SyncCellsWanted&, SyncOutbox&) {}
  void on(Instant, const SyncRangeWanted&, SyncOutbox&) {}

  void on_coarse(Instant now, const SyncDiffering& message, SyncOutbox& out);
  void on_fine(Instant now, const SyncDiffering& message, SyncOutbox& out);
  void send_refining(SyncOutbox& out);
  // Cells or streaming, for about so many differing rows.
  void choose(Instant now, double rows, SyncOutbox& out);
  bool too_many_for_cells(double rows) const;
  void fetch(Instant now, std::uint32_t asked, std::uint32_t target, const SyncOutbox& out);
  void ask_for_cells(SyncOutbox& out);
  void ask_for_gaps(SyncOutbox& out);
  void take_cells(Instant now, std::uint32_t first, const SyncCells& cells, SyncOutbox& out);
  void deliver(Instant now, SyncOutbox& out);
  void say_where_we_stand(Instant now, SyncOutbox& out);
  void stream(Instant now, SyncOutbox& out);
  void after_stream(Instant now, SyncOutbox& out);
  void next_round(Instant now, SyncOutbox& out);
  void start_over(Instant now, SyncOutbox& out);
  void ask_again(SyncOutbox& out);
  void wait_in(Phase phase, Instant now);
  void end(ExchangeEnd how) { outcome_.end = how; }
  void count(const SyncOutbox& out);
  // Buckets that look equal by chance do not in the next round.
  std::uint8_t byte_of_round() const {
    return static_cast<std::uint8_t>((outcome_.rounds - 1) % 8);
  }
  std::uint32_t cells_usable(const DigestSum& digest) const;
  void begin_decoding(const DigestSum& digest, std::uint32_t cells);
  SyncHeader header() const { return {.exchange = id_, .from_responder = false}; }

  ExchangeOptions options_;
  Decoder decoder_;
  Delivery delivery_;
  RangeStream stream_;
  ExchangeId first_id_{};
  ExchangeId id_{};
  Endpoint peer_;
  Phase phase_ = Phase::idle;
  Instant due_{};
  Instant deadline_{};
  std::uint32_t asks_ = 0;
  ExchangeOutcome outcome_;

  Root opened_;  // where we stood when we opened this round
  // What the peer said about itself in this round.
  Root peer_root_;
  std::uint32_t peer_cells_ = 0;
  // Opening: rows wanted from us.
  std::uint32_t wants_ = 0;
  // Refining: which parts were answered, and how many buckets differ in them.
  std::uint32_t parts_answered_ = 0;
  std::uint32_t fine_differing_ = 0;
  // Fetching: cells asked for so far, and at the last time we had to wait; cells that should do.
  std::uint32_t cells_asked_ = 0;
  std::uint32_t cells_waited_for_ = 0;
  std::uint32_t cells_target_ = 0;
  // Delivering: pairs an answer with its question.
  std::uint8_t serial_ = 0;
  // What this round and the one before found.
  std::uint32_t found_ = 0;
  std::uint32_t found_before_ = 0;
  std::uint32_t in_vain_ = 0;
};

}  // namespace starling
