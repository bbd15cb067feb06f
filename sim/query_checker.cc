#include "sim/query_checker.h"

#include <algorithm>

namespace starling::sim {

bool Question::is_for(NodeId node) const {
  if (tagged && *tagged != node) return false;
  return nodes.empty() || std::ranges::find(nodes, node) != nodes.end();
}

QueryChecker::Asked* QueryChecker::find(const std::string& name) {
  const auto at = asked_.find(name);
  return at == asked_.end() ? nullptr : &at->second;
}

const QueryChecker::Asked* QueryChecker::find(const std::string& name) const {
  const auto at = asked_.find(name);
  return at == asked_.end() ? nullptr : &at->second;
}

const Question* QueryChecker::question(const std::string& name) const {
  const Asked* const asked = find(name);
  return asked == nullptr ? nullptr : &asked->question;
}

bool QueryChecker::is_over(const std::string& name) const {
  const Asked* const asked = find(name);
  return asked != nullptr && asked->over.has_value();
}

std::size_t QueryChecker::heard_by(const std::string& name) const {
  const Asked* const asked = find(name);
  if (asked == nullptr) return 0;
  return static_cast<std::size_t>(std::ranges::count_if(
      asked->parts, [](const auto& part) { return !part.second.lives.empty(); }));
}

std::size_t QueryChecker::responses(const std::string& name) const {
  const Asked* const asked = find(name);
  if (asked == nullptr) return 0;
  return static_cast<std::size_t>(std::ranges::count_if(
      asked->parts, [](const auto& part) { return part.second.response_came; }));
}

void QueryChecker::on_asked(Instant now, NodeId asker, std::uint64_t token,
                            const Question& question) {
  names_[token] = question.name;
  asked_[question.name] = {
      .question = question, .asker = asker, .life = lives_[index_of(asker)], .at = now};
}

void QueryChecker::on_command_done(Instant now, NodeId observer, const Event& event) {
  if (const auto name = names_.find(event.token); name != names_.end()) {
    find(name->second)->begun = now;
  }
  const auto bad = bad_answers_.find(event.token);
  if (bad == bad_answers_.end()) return;
  if (event.result == CommandResult::ok) {
    violations_.add(Rule::bad_answer_taken, now, observer, bad->second);
  }
  bad_answers_.erase(bad);
}

void QueryChecker::on_answered(Instant now, NodeId node, const std::string& name,
                               const std::string& payload) {
  Part& part = find(name)->parts[node];
  part.answers.insert(payload);
  if (!part.answered_at) part.answered_at = now;
}

void QueryChecker::on_acknowledged(Instant now, NodeId node, const std::string& name) {
  Part& part = find(name)->parts[node];
  if (!part.acked_at) part.acked_at = now;
}

void QueryChecker::on_query(Instant now, NodeId observer, const Event& event) {
  const std::string name(event.name);
  Asked* const asked = find(name);
  if (asked == nullptr || asked->question.payload != as_text(event.payload) ||
      event.from != name_of(asked->asker)) {
    return violations_.add(Rule::foreign_query, now, observer, name);
  }
  // Those with a filter by tags are handed to owners who then find that they are not meant.
  const bool by_name_only = event.filter_count == 0;
  if (by_name_only != !asked->question.tagged.has_value() ||
      (by_name_only && !asked->question.is_for(observer))) {
    violations_.add(Rule::foreign_query, now, observer, name + " is for others");
  }
  Part& part = asked->parts[observer];
  if (!part.lives.insert(lives_[index_of(observer)]).second) {
    violations_.add(Rule::query_twice, now, observer, name);
  }
  if (by_name_only && asked->question.want_acks && !part.acked_at) part.acked_at = now;
}

QueryChecker::Asked* QueryChecker::open_at(Instant now, NodeId observer, std::uint64_t token,
                                           std::string_view what) {
  const auto name = names_.find(token);
  Asked* const asked = name == names_.end() ? nullptr : find(name->second);
  if (asked != nullptr && asked->asker == observer && asked->life == lives_[index_of(observer)] &&
      !asked->over) {
    const Duration timeout = asked->question.timeout;
    const bool past = timeout > Duration::zero() && asked->begun && now > *asked->begun + timeout;
    if (past && what != "end") {
      violations_.add(Rule::query_end, now, observer,
                      std::string(what) + " after the end of " + name->second);
    }
    return asked;
  }
  violations_.add(Rule::foreign_answer, now, observer,
                  std::string(what) + " to " + (asked == nullptr ? "nothing" : name->second));
  return nullptr;
}

QueryChecker::Part* QueryChecker::part_of(Instant now, NodeId observer, Asked& asked,
                                          std::optional<NodeId> from, std::string_view what) {
  if (from && asked.question.is_for(*from)) return &asked.parts[*from];
  violations_.add(Rule::foreign_answer, now, observer,
                  std::string(what) + " to " + asked.question.name + " from " +
                      (from ? name_of(*from) : "a stranger"));
  return nullptr;
}

void QueryChecker::on_ack(Instant now, NodeId observer, std::optional<NodeId> from,
                          const Event& event) {
  Asked* const asked = open_at(now, observer, event.token, "ack");
  if (asked == nullptr) return;
  Part* const part = part_of(now, observer, *asked, from, "ack");
  if (part == nullptr) return;
  // An engine acks its own query before it reports it.
  const bool heard = part->acked_at.has_value() || *from == observer;
  if (!asked->question.want_acks || !heard) {
    violations_.add(Rule::foreign_answer, now, observer,
                    "ack to " + asked->question.name + " that " + name_of(*from) + " never sent");
  }
  if (part->ack_came) {
    violations_.add(Rule::answer_twice, now, observer, "ack of " + name_of(*from));
  }
  part->ack_came = true;
}

void QueryChecker::on_response(Instant now, NodeId observer, std::optional<NodeId> from,
                               const Event& event) {
  Asked* const asked = open_at(now, observer, event.token, "response");
  if (asked == nullptr) return;
  Part* const part = part_of(now, observer, *asked, from, "response");
  if (part == nullptr) return;
  if (!part->answers.contains(std::string(as_text(event.payload)))) {
    violations_.add(
        Rule::foreign_answer, now, observer,
        "response to " + asked->question.name + " that " + name_of(*from) + " never gave");
  }
  if (part->response_came) {
    violations_.add(Rule::answer_twice, now, observer, "response of " + name_of(*from));
  }
  part->response_came = true;
}

void QueryChecker::on_done(Instant now, NodeId observer, const Event& event) {
  Asked* const asked = open_at(now, observer, event.token, "end");
  if (asked == nullptr) return;
  asked->over = now;
  if (now < asked->begun.value_or(asked->at) + asked->question.timeout) {
    violations_.add(Rule::query_end, now, observer, asked->question.name + " ended early");
  }
}

void QueryChecker::expect_answers(Instant now, const std::string& name, Duration before_the_end) {
  const Asked* const asked = find(name);
  if (asked == nullptr || !asked->over) return;
  const Instant last = *asked->over - before_the_end;
  for (const auto& [node, part] : asked->parts) {
    if (!asked->question.is_for(node)) continue;
    if (part.acked_at && *part.acked_at <= last && !part.ack_came) {
      violations_.add(Rule::answer_lost, now, asked->asker,
                      "ack of " + name_of(node) + " to " + name);
    }
    if (part.answered_at && *part.answered_at <= last && !part.response_came) {
      violations_.add(Rule::answer_lost, now, asked->asker,
                      "response of " + name_of(node) + " to " + name);
    }
  }
}

std::size_t QueryChecker::unfinished(Instant now, NodeId node, Duration late) const {
  return static_cast<std::size_t>(std::ranges::count_if(asked_, [&](const auto& each) {
    const Asked& asked = each.second;
    return asked.asker == node && asked.life == lives_[index_of(node)] && !asked.over &&
           now > asked.at + asked.question.timeout + late;
  }));
}

}  // namespace starling::sim
