// The plan of a run: which faults begin and end when, and what the users do meanwhile.
//
// Drawn whole from the seed before the run. Swarm testing switches some kinds off, because a run
// with every fault at once rarely gets far enough to show the subtle ones. All draws are made for
// every kind, also for one that is off, so that leaving a kind out (when reducing a failure) keeps
// the schedule of the others. A value; built and read by one thread.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.h"
#include "sim/node_id.h"
#include "sim/random.h"

namespace starling::sim {

enum class FaultKind : std::uint8_t {
  loss,          // `amount`: probability per datagram
  duplicate,     // `amount`
  reorder,       // `amount`
  corrupt,       // `amount`
  one_way,       // `node` no longer reaches `other`
  partition,     // `group_of_node`
  crash,         // the process of `node` dies; its kernel resets its streams
  power_loss,    // the machine of `node` falls silent
  pause,         // `node` is stopped and goes on later (Lifeguard's case)
  slow_streams,  // `amount`: bytes per second and stream
  stream_loss,   // `amount`: probability per chunk
  leave,         // `node` leaves on purpose, and starts again at the end
  set_meta,      // `node` changes its metadata; no end
  user_event,    // `node` sends a user event; no end
  force_leave,   // `node` declares that `other` has left, alive or not; no end
  query,         // `node` asks everybody, itself and `other`, or `other`: `amount`; no end
};
inline constexpr std::size_t fault_kinds = static_cast<std::size_t>(FaultKind::query) + 1;
using FaultMask = std::bitset<fault_kinds>;
std::string_view to_text(FaultKind kind);
std::optional<FaultKind> fault_kind_from(std::string_view text);

struct Fault {
  FaultKind kind{};
  // From the start of the chaos. A crash or power loss ends with a restart.
  Duration begin{};
  Duration end{};
  NodeId node{};
  NodeId other{};
  double amount = 0;
  std::vector<std::uint8_t> group_of_node;
};
// "crash n003 4.2s..9.1s"
std::string to_text(const Fault& fault);

struct FaultPlan {
  std::vector<Fault> faults;  // of the kinds that are on

  // A moment at which the world has something to do.
  struct Change {
    Duration at;
    std::uint32_t fault;  // index
    bool begins;
  };
  // All begins and ends, in order of time.
  std::vector<Change> changes() const;
};

// `without` takes kinds away from what the seed's own mask allows.
FaultPlan draw_plan(Random random, std::size_t nodes, Duration length, FaultMask without);

}  // namespace starling::sim
