#include "agent/snapshot/writer.h"

#include <algorithm>
#include <utility>

#include "agent/event_loop.h"

namespace starling::agent {

SnapshotWriter::SnapshotWriter(SnapshotFile file, OnReport on_report)
    : file_(std::move(file)),
      on_report_(std::move(on_report)),
      bytes_(file_.bytes()),
      thread_([this] { run(); }) {}

void SnapshotWriter::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

bool SnapshotWriter::append(std::string lines, bool sync) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_bytes_ + lines.size() > waiting_bytes_max) return false;
  }
  put({sync ? Order::Kind::append_and_sync : Order::Kind::append, std::move(lines)});
  return true;
}

void SnapshotWriter::put(Order order) {
  {
    const std::lock_guard lock(mutex_);
    waiting_bytes_ += order.lines.size();
    waiting_.push_back(std::move(order));
  }
  changed_.notify_one();
}

void SnapshotWriter::run() {
  for (;;) {
    Order order;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      order = std::move(waiting_.front());
      waiting_.pop_front();
      waiting_bytes_ -= order.lines.size();
    }
    carry_out_timed(order);
    bytes_.store(file_.bytes(), std::memory_order_relaxed);
  }
}

SnapshotWriter::Timings SnapshotWriter::timings() const {
  const std::lock_guard lock(mutex_);
  return timings_;
}

void SnapshotWriter::carry_out_timed(const Order& order) {
  const Instant start = EventLoop::now();
  const bool was_compacting = file_.compacting();
  carry_out(order);
  const Instant end = EventLoop::now();
  if (!was_compacting && file_.compacting()) compaction_begun_ = start;
  const std::lock_guard lock(mutex_);
  if (order.kind == Order::Kind::append || order.kind == Order::Kind::append_and_sync) {
    timings_.lines += static_cast<std::uint64_t>(std::ranges::count(order.lines, '\n'));
    timings_.appending += end - start;
  }
  if (was_compacting && !file_.compacting()) {
    ++timings_.compactions;
    timings_.compacting += end - compaction_begun_;
  }
}

void SnapshotWriter::carry_out(const Order& order) {
  using Kind = SnapshotReport::Kind;
  const bool was_compacting = file_.compacting();
  SnapshotFile::Result result;
  switch (order.kind) {
    case Order::Kind::append:
    case Order::Kind::append_and_sync:
      result = file_.append(order.lines);
      if (result && order.kind == Order::Kind::append_and_sync) result = file_.sync();
      if (!result) report(Kind::failed, result.error());
      if (was_compacting && !file_.compacting()) {
        report(Kind::not_written, file_.compaction_error());
      }
      return;
    case Order::Kind::begin:
      result = file_.begin_compaction();
      break;
    case Order::Kind::part:
      if (!was_compacting) return;  // it has failed, and that was said
      result = file_.append_compacted(order.lines);
      break;
    case Order::Kind::finish:
      if (!was_compacting) return;
      result = file_.finish_compaction();
      if (result) return report(Kind::compacted);
      break;
    case Order::Kind::abandon:
      return file_.abandon_compaction();
  }
  report(result ? Kind::part_taken : Kind::not_written, result ? std::string() : result.error());
}

}  // namespace starling::agent
