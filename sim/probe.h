// Measurements on a sound simulated cluster: how long until a death, or an update, is everywhere.
//
// The raw samples have the shape of those that bench/peers/cluster takes of real clusters, so that
// bench/peers/compare can put the two side by side. Each repetition is a fresh world with its own
// seed. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/world.h"

namespace starling::sim {

struct ProbeOptions {
  std::size_t nodes = 64;
  std::uint32_t lanes = 1;  // of every node
  std::size_t repeats = 20;
  std::size_t victims = 1;  // detection: how many die at the same moment
  std::uint64_t first_seed = 1;
  Profile profile = Profile::lan;
};

// When the others noticed what happened to one node, ascending.
struct ProbeSample {
  std::string subject;
  std::size_t observers = 0;         // how many should notice
  std::vector<double> milliseconds;  // one for each that did in time
};

// Processes die; a sample is when a node holds the victim for dead, by its own suspicion or by
// somebody's word, as memberlist reports it.
std::vector<ProbeSample> probe_detection(const ProbeOptions& options);
// One node changes its metadata; a sample is when a node has the new one.
std::vector<ProbeSample> probe_dissemination(const ProbeOptions& options);

// {"implementation": ..., "nodes": ..., "profile": ..., "detections": [{"victim": ...,
// "survivors": ..., "first_ms": ..., "all_ms": ..., "observers_ms": [...]}]}; -1 for never.
std::string detections_to_json(const ProbeOptions& options,
                               const std::vector<ProbeSample>& samples);
// The same with "disseminations": [{"origin": ..., "others": ..., "all_ms": ..., "times_ms":
// [...]}].
std::string disseminations_to_json(const ProbeOptions& options,
                                   const std::vector<ProbeSample>& samples);

}  // namespace starling::sim
