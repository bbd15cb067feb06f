// Acts: what is done to a swarm once it has formed, one after the other.
//
// Written as a script: acts separated by ';', each a word and its arguments, for instance
//   kill 1000; wait 10s; partition 1m; churn 50/s:20s; loss 5%:30s; update 100; leave 10;
//   kill-engine
// Values only.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.h"

namespace starling::agent::swarm {

enum class ActKind : std::uint8_t {
  kill,         // `count` random members end without a word
  kill_engine,  // a whole engine ends, and all it hosts
  partition,    // two halves of the engines cannot reach each other for `length`, then can again
  churn,        // `rate` members a second end and come back with new metadata, for `length`
  loss,         // `probability` of losing each datagram, for `length`
  update,       // `count` random members change their metadata
  leave,        // `count` random members leave
  wait,         // nothing, for `length`
};
std::string_view to_text(ActKind kind);

struct Act {
  ActKind kind{};
  std::uint32_t count = 0;
  double rate = 0;         // a second
  double probability = 0;  // 0..1
  Duration length{};       // zero for `loss`: the default, see Timing::loss_length
  std::string text;        // as it stood in the script
};

// At most this many acts, so that a report stays readable and bounded.
inline constexpr std::size_t acts_max = 64;

// The error names the act and what is wrong with it.
std::expected<std::vector<Act>, std::string> parse_acts(std::string_view script);

}  // namespace starling::agent::swarm
