#include "agent/snapshot/snapshot.h"

#include <algorithm>
#include <utility>

#include "agent/addresses.h"
#include "core/shard/options.h"

namespace starling::agent {
namespace {

// Of the mirror, in one part of a new file: some 64 KiB, and less than a millisecond.
constexpr std::size_t part_rows = 1024;
// Lines that wait in memory are handed to the writer beyond this many bytes, whatever the time.
constexpr std::size_t pending_bytes_max = 256 * 1024;
constexpr std::uint64_t line_bytes_usual = 128;
// Incarnations in reserve: half of them are more than half a second uses.
constexpr std::uint32_t incarnation_reserve = 64;

bool in_snapshot(MemberStatus status) {
  return status == MemberStatus::alive || status == MemberStatus::leaving;
}

// A name that breaks the lines cannot be kept.
bool writable(std::string_view name) {
  return name.find('\n') == std::string_view::npos;
}

void add_alive(std::string& out, std::string_view name, std::string_view address) {
  if (!writable(name) || !writable(address)) return;
  fmt::format_to(std::back_inserter(out), "alive: {} {}\n", name, address);
}

}  // namespace

std::expected<std::unique_ptr<Snapshot>, std::string> Snapshot::open(EventLoop& loop, Log& log,
                                                                     MembersMirror& members,
                                                                     const Options& options) {
  auto recovered = recover_file(options.path, options.recovery);
  if (!recovered) return std::unexpected("failed to recover snapshot: " + recovered.error());
  for (const std::string& warning : recovered->warnings) {
    log.warn("serf: snapshot: {}", warning);
  }
  if (recovered->further_warnings > 0) {
    log.warn("serf: snapshot: {} further lines were skipped", recovered->further_warnings);
  }
  if (recovered->leave_ignored) log.info("serf: Ignoring previous leave in snapshot");
  auto file = SnapshotFile::open(options.path);
  if (!file) return std::unexpected("failed to open snapshot: " + file.error());
  // On the disk before the first alive message says so.
  const std::uint32_t bound =
      std::min(recovered->incarnation, earlier_incarnation_max - incarnation_reserve) +
      incarnation_reserve;
  auto raised = file->append(fmt::format("{}{}\n", incarnation_prefix, bound));
  if (raised) raised = file->sync();
  if (!raised) log.err("serf: Failed to update snapshot: {}", raised.error());
  std::unique_ptr<Snapshot> snapshot(
      new Snapshot(loop, log, members, options, std::move(*recovered), std::move(*file)));
  snapshot->incarnation_bound_ = bound;
  if (!raised) snapshot->lost(raised.error());
  return snapshot;
}

Snapshot::Snapshot(EventLoop& loop, Log& log, MembersMirror& members, Options options,
                   Recovered recovered, SnapshotFile file)
    : loop_(loop),
      log_(log),
      members_(members),
      options_(std::move(options)),
      recovered_(std::move(recovered)),
      previous_(recovered_.nodes),
      clock_(recovered_.clock),
      event_clock_(recovered_.event_clock),
      query_clock_(recovered_.query_clock),
      self_(std::make_shared<Snapshot*>(this)),
      writer_(std::make_unique<SnapshotWriter>(std::move(file),
                                               [&loop, self = self_](const SnapshotReport& report) {
                                                 loop.post([self, report] {
                                                   if (*self != nullptr) (*self)->on_report(report);
                                                 });
                                               })) {}

Snapshot::~Snapshot() {
  stop();
  *self_ = nullptr;
}

void Snapshot::start(Ask ask) {
  ask_ = std::move(ask);
  turn();
}

void Snapshot::stop() {
  loop_.cancel(std::exchange(timer_, 0));
  if (!writer_) return;
  if (walk_) writer_->abandon_compaction();
  end_compaction();
  write_pending(true);
  writer_->stop();
}

void Snapshot::turn() {
  timer_ = loop_.after(options_.turn_interval, [this] { turn(); });
  ask_();
  write_pending();
  compact_if_needed();
}

void Snapshot::on_member(const Event& event) {
  if (left_ || !event.change) return;
  switch (*event.change) {
    case MemberEventKind::join:
      add_alive(pending_, event.name, format_endpoint(event.endpoint));
      break;
    case MemberEventKind::leave:
    case MemberEventKind::failed:
      if (writable(event.name)) {
        fmt::format_to(std::back_inserter(pending_), "not-alive: {}\n", event.name);
      }
      break;
    case MemberEventKind::update:
    case MemberEventKind::reap:
      return;
  }
  if (pending_.size() > pending_bytes_max) write_pending();
}

void Snapshot::on_user_event(std::uint64_t time) {
  if (!left_) write_clock("event-clock: ", time, event_clock_);
}

void Snapshot::on_query(std::uint64_t time) {
  if (!left_) write_clock("query-clock: ", time, query_clock_);
}

void Snapshot::on_numbers(const Numbers& numbers) {
  members_alive_ = numbers.members_alive;
  // Clocks stand one past what was seen last.
  const auto seen = [](std::uint64_t time) { return time > 0 ? time - 1 : 0; };
  write_clock("clock: ", seen(numbers.member_time), clock_);
  if (!left_) write_clock("query-clock: ", seen(numbers.query_time), query_clock_);
  raise_incarnation_bound(numbers.incarnation);
}

void Snapshot::write_clock(std::string_view prefix, std::uint64_t time, std::uint64_t& written) {
  if (time <= written) return;
  written = time;
  fmt::format_to(std::back_inserter(pending_), "{}{}\n", prefix, time);
}

void Snapshot::raise_incarnation_bound(std::uint32_t incarnation) {
  if (incarnation + incarnation_reserve / 2 <= incarnation_bound_) return;
  if (incarnation > earlier_incarnation_max - incarnation_reserve) return;
  incarnation_bound_ = incarnation + incarnation_reserve;
  fmt::format_to(std::back_inserter(pending_), "{}{}\n", incarnation_prefix, incarnation_bound_);
  write_pending();  // before it is reached
}

void Snapshot::leave() {
  if (std::exchange(left_, true)) return;
  if (walk_) writer_->abandon_compaction();
  end_compaction();
  previous_.clear();
  pending_ += "leave\n";
  write_pending(true);
}

void Snapshot::write_pending(bool sync) {
  if (pending_.empty()) return;
  if (!writer_->append(std::exchange(pending_, {}), sync)) lost("the disk is too slow");
}

// Lines are missing in the file; it is written anew before long.
void Snapshot::lost(std::string_view why) {
  if (!incomplete_) log_.err("serf: Failed to update snapshot: {}", why);
  incomplete_ = true;
  if (!last_failure_) last_failure_ = EventLoop::now();
}

void Snapshot::on_report(const SnapshotReport& report) {
  switch (report.kind) {
    case SnapshotReport::Kind::failed:
      return lost(report.error);
    case SnapshotReport::Kind::part_taken:
      if (walk_ && !last_part_sent_) send_part();
      return;
    case SnapshotReport::Kind::compacted:
      end_compaction();
      last_failure_.reset();
      return;
    case SnapshotReport::Kind::not_written:
      log_.err("serf: Failed to compact snapshot: {}", report.error);
      end_compaction();
      last_failure_ = EventLoop::now();
      return;
  }
}

void Snapshot::compact_if_needed() {
  if (left_ || walk_) return;
  const std::uint64_t rows = members_alive_ + previous_.size();
  const bool too_long =
      writer_->bytes() > std::max(2 * line_bytes_usual * rows, options_.compaction_bytes_min);
  if (!too_long && !incomplete_) return;
  if (last_failure_ && EventLoop::now() - *last_failure_ < options_.repair_interval) return;
  walk_.emplace();
  last_part_sent_ = false;
  incomplete_ = false;  // what is lost from now on is lost for the new file, too
  writer_->begin_compaction();
}

// Rows as they are now: lines of what happens meanwhile go to the new file as well, and come before
// or behind a row as it happened before or after.
void Snapshot::send_part() {
  write_pending();
  std::string part;
  const bool more = members_.visit_more(*walk_, part_rows, [&](const MemberView& row) {
    if (in_snapshot(row.status)) add_alive(part, row.name, format_endpoint(row.endpoint));
  });
  if (more) return writer_->compact_part(std::move(part));
  for (const SnapshotNode& node : previous_) {
    if (!members_.find(node.name)) add_alive(part, node.name, node.address);
  }
  fmt::format_to(std::back_inserter(part), "clock: {}\nevent-clock: {}\nquery-clock: {}\n{}{}\n",
                 clock_, event_clock_, query_clock_, incarnation_prefix, incarnation_bound_);
  last_part_sent_ = true;
  writer_->compact_part(std::move(part));
  writer_->finish_compaction();
}

void Snapshot::end_compaction() {
  walk_.reset();
}

}  // namespace starling::agent
