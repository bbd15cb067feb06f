// Snapshot: keeps the snapshot file up to date, so that the agent finds its cluster again.
//
// protocol/serf section 15. It hears of members and user events as they happen and of the clocks
// twice a second, and hands lines to the writer's thread twice a second, where Serf waits for a
// further line. A file that has grown too long is written anew from the agent's mirror of the
// members, part by part, so that a million rows hold nothing up. The engine's incarnation is kept,
// too, as a comment: a bound that is raised before it is reached, so that a restarted agent can
// start beyond everything it has ever said. Owned by the agent, control thread only.
//
// Bounds: lines that wait are at most SnapshotWriter::waiting_bytes_max; what does not fit is lost
// until the file is written anew, at the earliest 30 seconds after the last try.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/event_loop.h"
#include "agent/log.h"
#include "agent/members_mirror.h"
#include "agent/snapshot/recovery.h"
#include "agent/snapshot/writer.h"

namespace starling::agent {

class Snapshot {
 public:
  struct Options {
    std::string path;
    RecoveryOptions recovery;
    std::uint64_t compaction_bytes_min = 128 * 1024;
    Duration turn_interval = std::chrono::milliseconds(500);
    Duration repair_interval = std::chrono::seconds(30);
  };
  // Numbers of the engine.
  struct Numbers {
    std::uint64_t member_time = 0, event_time = 0, query_time = 0;
    std::uint32_t incarnation = 0;  // the highest of all hosted members
    std::uint32_t members_alive = 0;
  };
  // Asks the engine; the answer comes later through on_numbers().
  using Ask = std::function<void()>;

  // Reads the file, opens it for writing and raises the bound on incarnations in it. Blocks on the
  // disk. The error is a sentence for the user.
  static std::expected<std::unique_ptr<Snapshot>, std::string> open(EventLoop& loop, Log& log,
                                                                    MembersMirror& members,
                                                                    const Options& options);
  ~Snapshot();
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  const Recovered& recovered() const { return recovered_; }

  // From now on asks for numbers and writes, twice a second.
  void start(Ask ask);
  // A member event that the mirror has taken already.
  void on_member(const Event& event);
  void on_user_event(std::uint64_t time);
  // Noted with its event, not with the next numbers: an agent that is stopped in between would
  // answer the query once more in its next life.
  void on_query(std::uint64_t time);
  void on_numbers(const Numbers& numbers);
  SnapshotWriter::Timings timings() const { return writer_->timings(); }
  // A member of the earlier life was reached: those that are not known by now are given up.
  void on_rejoined() { previous_.clear(); }
  // The agent leaves: nothing but clocks is written any more.
  void leave();
  // Writes what waits and ends. Idempotent.
  void stop();

  // For tests: nothing waits and no new file is being written.
  bool compacting() const { return walk_.has_value(); }

 private:
  Snapshot(EventLoop& loop, Log& log, MembersMirror& members, Options options, Recovered recovered,
           SnapshotFile file);
  void turn();
  void write_pending(bool sync = false);
  void write_clock(std::string_view prefix, std::uint64_t time, std::uint64_t& written);
  void raise_incarnation_bound(std::uint32_t incarnation);
  void on_report(const SnapshotReport& report);
  void lost(std::string_view why);
  void compact_if_needed();
  void send_part();
  void end_compaction();

  EventLoop& loop_;
  Log& log_;
  MembersMirror& members_;
  const Options options_;
  Recovered recovered_;
  std::vector<SnapshotNode> previous_;  // alive in the earlier life, and not heard of yet
  Ask ask_;
  EventLoop::TimerId timer_ = 0;

  std::string pending_;                                          // lines of this half second
  std::uint64_t clock_ = 0, event_clock_ = 0, query_clock_ = 0;  // as written last
  std::uint32_t incarnation_bound_ = 0;
  std::uint32_t members_alive_ = 0;
  bool left_ = false;
  bool incomplete_ = false;  // lines are missing: to be written anew
  std::optional<Instant> last_failure_;

  std::optional<MembersMirror::Walk> walk_;  // while the file is written anew
  bool last_part_sent_ = false;
  // Shared with reports on their way, which outlive us.
  std::shared_ptr<Snapshot*> self_;
  std::unique_ptr<SnapshotWriter> writer_;  // last: its thread uses the rest
};

}  // namespace starling::agent
