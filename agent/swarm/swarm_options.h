// SwarmOptions: what `starling swarm` can be told, its flags, and what they may not be.
//
// A value; filled by the command line or a test.
#pragma once

#include <expected>
#include <optional>
#include <string>

#include "agent/flags.h"
#include "agent/swarm/acts.h"
#include "agent/swarm/timing.h"

namespace starling::agent::swarm {

// How the engines' packets travel.
enum class SwarmPort : std::uint8_t {
  memory,   // within this process
  uring,    // through the kernel's loopback
  sockets,  // the same with ordinary system calls
  rings,    // within this process, as DPDK's mbufs through its rings
};
std::optional<SwarmPort> swarm_port_from(std::string_view text);
std::string_view to_text(SwarmPort port);

struct SwarmOptions {
  std::uint32_t members = 1'000;
  std::uint32_t engines = 16;
  unsigned threads = 0;  // 0: one a core
  SwarmPort port = SwarmPort::memory;
  Profile profile = Profile::lan;
  Duration period{};  // zero: chosen, see choose_period
  bool encrypt = false;
  bool compress = false;  // half of the processor's time, for links that have no lack of room
  std::uint64_t seed = 1;
  std::vector<Act> acts;
  std::string json_path;  // empty: none
  bool view = true;
  std::uint64_t memory_bytes_max = 0;  // 0: nine tenths of what the machine has free
  Duration timeout{};                  // of the whole run; zero: the sum of all bounds

  Size size() const { return {members, engines}; }
};

// The flags of the command. Acts stand in the order kill, kill-engine, partition, churn, loss, then
// those of -acts and -act: call finish() after parsing.
class SwarmFlags {
 public:
  FlagSet flags();
  // The options, or what is wrong with them.
  std::expected<SwarmOptions, std::string> finish();

 private:
  SwarmOptions options_;
  std::string kill_, partition_, churn_, loss_, acts_;
  bool kill_engine_ = false;
  bool no_view_ = false;
  std::vector<std::string> act_list_;
};

// A sentence that names the option and its bound; nullopt when the swarm can run.
std::optional<std::string> problem_with(const SwarmOptions& options);

}  // namespace starling::agent::swarm
