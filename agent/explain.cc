#include "agent/explain.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "agent/addresses.h"
#include "agent/durations.h"
#include "agent/members_mirror.h"
#include "core/base/hash.h"

namespace starling::agent {
namespace {

std::string_view state_text(MemberState state) {
  switch (state) {
    case MemberState::alive:
      return "alive";
    case MemberState::suspect:
      return "suspect";
    case MemberState::dead:
      return "dead";
    case MemberState::left:
      return "left";
  }
  return "";
}

std::string_view leave_text(LeaveStage stage) {
  switch (stage) {
    case LeaveStage::none:
      return "none";
    case LeaveStage::intent:
      return "its leave intent is being sent";
    case LeaveStage::dead:
      return "its end is being sent";
    case LeaveStage::propagate:
      return "waits until its leave has spread";
    case LeaveStage::left:
      return "has left";
  }
  return "";
}

std::string truth(bool value) {
  return value ? "true" : "false";
}

Tags suspicion_section(const Explanation& explanation, const MemberHistory::Member* history,
                       const NameOf& name_of) {
  std::string accusers;
  for (std::size_t i = 0; i < 1 + std::size_t{explanation.confirmations}; ++i) {
    const NameHash hash = explanation.accusers[i];
    std::string name;
    if (history != nullptr && history->suspicion) {
      for (const std::string& seen : history->suspicion->accusers) {
        if (hash_name(seen) == hash) name = seen;
      }
    }
    if (name.empty()) name = name_of(hash);
    accusers += (accusers.empty() ? "" : ", ") + (name.empty() ? "?" : name);
  }
  return {{"since_s", age_text(explanation.now, explanation.suspicion_started)},
          {"ends_in_s",
           fmt::format("{:.3f}", in_seconds(std::max(explanation.suspicion_ends - explanation.now,
                                                     Duration{0})))},
          {"confirmations", std::to_string(explanation.confirmations)},
          {"confirmations_needed", std::to_string(explanation.confirmations_needed)},
          {"accusers", accusers}};
}

Tags member_section(std::string_view name, const Explanation& explanation) {
  Tags member{{"name", std::string(name)},
              {"address", format_endpoint(explanation.endpoint)},
              {"state", std::string(state_text(explanation.state))},
              {"incarnation", std::to_string(to_number(explanation.incarnation))},
              {"changed_s", age_text(explanation.now, explanation.state_changed)},
              {"listed", truth(explanation.listed)},
              {"hosted", truth(explanation.hosted)}};
  if (explanation.status == MemberStatus::none) {
    member["status"] = "unknown to Serf";
    return member;
  }
  member["status"] = std::string(to_text(explanation.status));
  member["status_time"] = std::to_string(to_number(explanation.status_time));
  if (explanation.status != MemberStatus::alive) {
    member["gone_s"] = age_text(explanation.now, explanation.gone_since);
  }
  return member;
}

void add_history(Stats& answer, Instant now, const MemberHistory::Member& history) {
  if (history.probe) {
    Tags& probe = answer["probe"];
    probe = {{"ago_s", age_text(now, history.probe->at)}, {"result", history.probe->result}};
    if (history.probe->round_trip) {
      probe["round_trip_ms"] = fmt::format("{:.3f}", in_seconds(*history.probe->round_trip) * 1000);
    }
  }
  if (history.death) {
    answer["death"] = {{"ago_s", age_text(now, history.death->at)},
                       {"by", history.death->from},
                       {"incarnation", std::to_string(history.death->incarnation)}};
  }
  if (history.dropped > 0) {
    answer["history_limit"] = {{"dropped", std::to_string(history.dropped)}};
  }
  std::size_t number = 0;
  for (const MemberHistory::Happening& happening : history.happenings) {
    answer["history"][fmt::format("{:02}", ++number)] =
        age_text(now, happening.at) + " " + happening.text;
  }
}

}  // namespace

std::string age_text(Instant now, Instant then) {
  return fmt::format("{:.3f}", in_seconds(std::max(now - then, Duration{0})));
}

Stats explain(std::string_view name, const Explanation& explanation,
              const MemberHistory::Member* history, const NameOf& name_of) {
  Stats answer;
  if (explanation.known) {
    answer["member"] = member_section(name, explanation);
    if (explanation.hosted) {
      answer["host"] = {{"health", std::to_string(explanation.health)},
                        {"leave", std::string(leave_text(explanation.leave))}};
    }
    if (explanation.suspicion) {
      answer["suspicion"] = suspicion_section(explanation, history, name_of);
    }
  }
  if (explanation.has_intent) {
    answer["intent"] = {{"kind", explanation.intent == IntentKind::join ? "join" : "leave"},
                        {"time", std::to_string(to_number(explanation.intent_time))}};
  }
  if (history != nullptr) add_history(answer, explanation.now, *history);
  return answer;
}

}  // namespace starling::agent
