// SnapshotWriter: the thread that writes the snapshot, so that a slow disk holds up nobody.
//
// The control thread hands over lines and orders through a bounded queue; they are carried out in
// that order, and what came of them goes back by reports. Lines that do not fit into the queue are
// refused: their owner writes the snapshot anew later. Owned by a Snapshot.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "agent/snapshot/file.h"
#include "core/base/time.h"

namespace starling::agent {

struct SnapshotReport {
  enum class Kind : std::uint8_t {
    failed,       // lines were lost: `error`
    part_taken,   // of a compaction: the next may come
    compacted,    // the new file is in place
    not_written,  // the compaction has failed, the old file stays: `error`
  };
  Kind kind{};
  std::string error;
};

class SnapshotWriter {
 public:
  // `on_report` is called on the writer's thread.
  using OnReport = std::function<void(const SnapshotReport&)>;
  static constexpr std::size_t waiting_bytes_max = 16u << 20;

  SnapshotWriter(SnapshotFile file, OnReport on_report);
  // Carries out what waits.
  ~SnapshotWriter() { stop(); }
  SnapshotWriter(const SnapshotWriter&) = delete;
  SnapshotWriter& operator=(const SnapshotWriter&) = delete;

  // False: the queue is full, nothing was taken. `sync`: to the disk at once.
  bool append(std::string lines, bool sync = false);
  // A compaction: begin, any number of parts (the next when a report asks for it), finish.
  void begin_compaction() { put({Order::Kind::begin, {}}); }
  void compact_part(std::string lines) { put({Order::Kind::part, std::move(lines)}); }
  void finish_compaction() { put({Order::Kind::finish, {}}); }
  void abandon_compaction() { put({Order::Kind::abandon, {}}); }

  // What was written so far, and how long the disk took; a compaction from its beginning to its
  // end.
  struct Timings {
    std::uint64_t lines = 0;
    Duration appending{};
    std::uint64_t compactions = 0;
    Duration compacting{};
  };
  Timings timings() const;

  // The file's size after the last order that was carried out.
  std::uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

  // Carries out what waits and ends the thread. Idempotent.
  void stop();

 private:
  struct Order {
    enum class Kind : std::uint8_t { append, append_and_sync, begin, part, finish, abandon };
    Kind kind{};
    std::string lines;
  };
  void put(Order order);
  void run();
  void carry_out(const Order& order);
  void carry_out_timed(const Order& order);
  void report(SnapshotReport::Kind kind, std::string error = {}) { on_report_({kind, error}); }

  SnapshotFile file_;  // the thread's
  OnReport on_report_;
  Instant compaction_begun_{};  // the thread's
  // Read by bytes() alone: nothing is published by it.
  std::atomic<std::uint64_t> bytes_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Order> waiting_;  // guarded by mutex_, as are the following
  std::size_t waiting_bytes_ = 0;
  bool stopping_ = false;
  Timings timings_;
  std::thread thread_;  // last: it uses the rest
};

}  // namespace starling::agent
