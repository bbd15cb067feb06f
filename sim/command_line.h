// The options of the starling_sim program.
//
// A value read from the arguments; the error is a sentence. One thread.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "sim/faults.h"
#include "sim/probe.h"

namespace starling::sim {

struct CommandLine {
  enum class Task : std::uint8_t { trace, campaign, reduce, detect, disseminate, help };
  Task task = Task::help;
  std::uint64_t seed = 0;        // trace, reduce
  std::uint64_t seeds = 0;       // campaign; 0: until stopped
  std::uint64_t first_seed = 1;  // campaign: this one and the next ones
  bool quiet = false;            // campaign: no line per seed
  bool demand_all = false;       // campaign: fail when something was never exercised
  FaultMask without;
  std::optional<std::size_t> nodes;
  std::uint32_t lanes = 1;
  ProbeOptions probe;
  std::string json;  // probes: the file; empty: standard output
};

std::expected<CommandLine, std::string> read_command_line(
    std::span<const std::string_view> arguments);

std::string_view usage();

}  // namespace starling::sim
