#include "core/shard/explain.h"

#include <algorithm>
#include <cstring>

namespace starling {

namespace {

void explain_row(const Node& node, Slot slot, Explanation& explanation) {
  explanation.known = true;
  explanation.listed = node.members.listed(slot);
  explanation.state = node.members.state(slot);
  explanation.incarnation = node.members.incarnation(slot);
  explanation.state_changed = node.members.state_changed(slot);
  explanation.endpoint = node.members.endpoint(slot);
  explanation.status = node.serf.status(slot);
  explanation.status_time = node.serf.status_time(slot);
  explanation.gone_since = node.serf.gone_since(slot);
  if (const Hosted* const member = node.hosted.of(slot)) {
    explanation.hosted = true;
    explanation.health = node.health(*member);
    explanation.leave = member->leave;
  }
  if (!node.suspicions.running(slot)) return;
  explanation.suspicion = true;
  explanation.suspicion_started = node.suspicions.started(slot);
  explanation.suspicion_ends = node.suspicions.ends(slot);
  explanation.confirmations = node.suspicions.confirmations(slot);
  explanation.confirmations_needed = node.suspicions.confirmations_needed(slot);
  std::ranges::copy(node.suspicions.accusers(slot), explanation.accusers.begin());
}

}  // namespace

void answer_explain(Node& node, Instant now, const Command& command) {
  if (command.token == 0) return;
  const NameHash hash = hash_name(command.name);
  Explanation explanation;
  explanation.now = now;
  if (const std::optional<Slot> slot = node.members.find(hash, command.name)) {
    explain_row(node, *slot, explanation);
  }
  if (const std::optional<RecentIntent> intent = node.recent_intents.find(hash)) {
    explanation.has_intent = true;
    explanation.intent = intent->kind;
    explanation.intent_time = intent->time;
  }
  Event answer;
  answer.kind = Event::Kind::done;
  answer.at = now;
  answer.token = command.token;
  answer.payload = std::as_bytes(std::span(&explanation, 1));
  node.report.send(answer);
}

std::optional<Explanation> decode_explanation(Bytes payload) {
  if (payload.size() != sizeof(Explanation)) return std::nullopt;
  Explanation explanation;
  std::memcpy(&explanation, payload.data(), sizeof explanation);
  return explanation;
}

}  // namespace starling
