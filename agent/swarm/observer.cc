#include "agent/swarm/observer.h"

namespace starling::agent::swarm {

void Observer::on_event(const Event& event) {
  const bool suspicion =
      event.kind == Event::Kind::trace && event.trace == TraceKind::suspect_started;
  if (event.kind != Event::Kind::member && !suspicion) return;
  ++sightings_.events;
  const std::optional<std::uint32_t> member = number_from_name(event.name);
  if (!member || *member >= population_->members()) {
    ++sightings_.strangers;
    return;
  }
  if (!suspicion) return on_member(event, *member);
  ++sightings_.suspected;
  if (!population_->excused(*member)) ++sightings_.false_suspicions;
  if (watch_ != nullptr) watch_->suspected(*member, event.at);
}

void Observer::on_member(const Event& event, std::uint32_t member) {
  if (!event.change) return;
  switch (*event.change) {
    case MemberEventKind::join:
      ++sightings_.joined;
      break;
    case MemberEventKind::failed:
      ++sightings_.failed;
      if (!population_->excused(member)) ++sightings_.false_failures;
      break;
    case MemberEventKind::leave:
      ++sightings_.left;
      break;
    case MemberEventKind::update:
      ++sightings_.updated;
      break;
    case MemberEventKind::reap:
      break;
  }
  if (watch_ != nullptr) watch_->reported(engine_, member, *event.change, event.at);
}

}  // namespace starling::agent::swarm
