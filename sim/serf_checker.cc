#include "sim/serf_checker.h"

#include <algorithm>

namespace starling::sim {

namespace {

// Section 6: which report may follow which status.
bool possible(MemberStatus before, const std::optional<MemberEventKind>& change,
              MemberStatus after) {
  using enum MemberStatus;
  if (!change) return before != none && after != none;
  switch (*change) {
    case MemberEventKind::join:
      return (after == alive && (before == none || before == failed || before == left)) ||
             (after == leaving && before == none);
    case MemberEventKind::leave:
      return after == left && (before == leaving || before == failed);
    case MemberEventKind::failed:
      return after == failed && before == alive;
    case MemberEventKind::update:
      return before != none && after == before;
    case MemberEventKind::reap:
      return before == failed || before == left || before == leaving;
  }
  return false;
}

}  // namespace

SerfChecker::SerfChecker(std::size_t nodes, Violations& violations)
    : nodes_(nodes),
      violations_(violations),
      rows_(nodes * nodes),
      leaving_(nodes),
      meta_(nodes),
      meta_ever_(nodes),
      delivered_(nodes) {}

void SerfChecker::fault(Rule rule, Instant now, NodeId observer, NodeId subject, std::string text) {
  violations_.add(rule, now, observer, name_of(subject) + ": " + std::move(text));
}

void SerfChecker::on_start(NodeId node, std::string_view meta) {
  for (std::size_t i = 0; i < nodes_; ++i) rows_[index_of(node) * nodes_ + i] = {};
  leaving_[index_of(node)] = false;
  delivered_[index_of(node)].clear();
  on_meta(node, meta);
}

void SerfChecker::on_meta(NodeId node, std::string_view meta) {
  meta_[index_of(node)] = meta;
  meta_ever_[index_of(node)].insert(std::string(meta));
}

void SerfChecker::on_user_event_sent(std::string_view name, std::string_view payload) {
  sent_.insert({std::string(name), std::string(payload)});
}

void SerfChecker::on_member(Instant now, NodeId observer, NodeId subject, const Event& event) {
  MemberRow& row = rows_[index_of(observer) * nodes_ + index_of(subject)];
  if (!possible(row.status, event.change, event.status)) {
    fault(Rule::impossible_status, now, observer, subject,
          std::string(to_text(row.status)) + " to " + std::string(to_text(event.status)) +
              (event.change ? " by " + std::string(to_text(*event.change)) : ""));
  }
  if (observer == subject && event.status != MemberStatus::alive && !leaving_[index_of(observer)]) {
    fault(Rule::self_not_alive, now, observer, subject, std::string(to_text(event.status)));
  }
  if (event.endpoint != endpoint_of(subject)) {
    fault(Rule::foreign_endpoint, now, observer, subject, "");
  }
  const std::string meta(as_text(event.payload));
  if (!meta_ever_[index_of(subject)].contains(meta)) {
    fault(Rule::foreign_meta, now, observer, subject, std::to_string(meta.size()) + " bytes");
  }
  if (event.change == MemberEventKind::reap) {
    row = {};
  } else {
    row = {event.status, meta};
  }
}

void SerfChecker::on_user_event(Instant now, NodeId observer, const Event& event) {
  const std::string name(event.name);
  const std::string payload(as_text(event.payload));
  if (!sent_.contains({name, payload})) {
    violations_.add(Rule::foreign_event, now, observer, name);
  }
  if (++delivered_[index_of(observer)][{name, payload, event.time}] > 1) {
    violations_.add(Rule::event_twice, now, observer,
                    name + " at " + std::to_string(to_number(event.time)));
  }
}

std::uint32_t SerfChecker::rows(NodeId observer) const {
  return static_cast<std::uint32_t>(nodes_) - rows(observer, MemberStatus::none);
}

std::uint32_t SerfChecker::rows(NodeId observer, MemberStatus status) const {
  const auto first = rows_.begin() + static_cast<std::ptrdiff_t>(index_of(observer) * nodes_);
  return static_cast<std::uint32_t>(
      std::count_if(first, first + static_cast<std::ptrdiff_t>(nodes_),
                    [&](const MemberRow& row) { return row.status == status; }));
}

std::size_t SerfChecker::deliveries(NodeId node, std::string_view name) const {
  std::size_t times = 0;
  for (const auto& [key, count] : delivered_[index_of(node)]) {
    if (std::get<0>(key) == name) times += count;
  }
  return times;
}

}  // namespace starling::sim
