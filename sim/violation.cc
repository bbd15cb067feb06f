#include "sim/violation.h"

namespace starling::sim {

namespace {
constexpr std::array<std::string_view, rule_count> names = {"incarnation_fell",
                                                            "resurrection",
                                                            "self_not_alive",
                                                            "impossible_state",
                                                            "dead_without_suspicion",
                                                            "dead_without_accuser",
                                                            "left_without_leaving",
                                                            "suspicion_too_short",
                                                            "suspicion_too_long",
                                                            "reaped_too_early",
                                                            "refutation_fell",
                                                            "unknown_name",
                                                            "foreign_endpoint",
                                                            "foreign_meta",
                                                            "impossible_status",
                                                            "event_twice",
                                                            "foreign_event",
                                                            "event_lost",
                                                            "foreign_query",
                                                            "query_twice",
                                                            "query_lost",
                                                            "query_end",
                                                            "foreign_answer",
                                                            "bad_answer_taken",
                                                            "answer_twice",
                                                            "answer_lost",
                                                            "answer_unasked",
                                                            "answer_missing",
                                                            "clock_fell",
                                                            "over_bound",
                                                            "numbers_disagree",
                                                            "reports_lost",
                                                            "packet_too_large",
                                                            "never_idle",
                                                            "not_converged"};
}  // namespace

std::string_view to_text(Rule rule) {
  return names[static_cast<std::size_t>(rule)];
}

}  // namespace starling::sim
