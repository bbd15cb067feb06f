// The report of a run: a summary for people, JSON for programs (docs/swarm-json.md).
//
// Pure functions of the plan and the result.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "agent/swarm/run_result.h"

namespace starling::agent::swarm {

// Raised when a field changes its meaning or goes; new fields do not count.
inline constexpr int report_schema = 1;

std::string summary(const SwarmPlan& plan, const RunResult& result, bool coloured);
nlohmann::ordered_json report_json(const SwarmPlan& plan, const RunResult& result);

}  // namespace starling::agent::swarm
