#include "sim/chaos.h"

#include <algorithm>
#include <array>

namespace starling::sim {

Question question_of(const Fault& fault, std::uint32_t number) {
  // Different digits of one draw.
  const auto draw = [&](unsigned step, unsigned below) {
    return static_cast<unsigned>(fault.amount * step * below) % below;
  };
  Question question{.name = "chaos-query-" + std::to_string(number),
                    .payload = std::string(draw(101, 400), 'q'),
                    .nodes = {},
                    .tagged = {},
                    .timeout = {},
                    .want_acks = draw(53, 4) != 0,
                    .relay_factor = static_cast<std::uint8_t>(draw(37, 4))};
  constexpr std::array<std::chrono::milliseconds, 4> timeouts{
      std::chrono::milliseconds(0), std::chrono::milliseconds(300), std::chrono::milliseconds(2000),
      std::chrono::milliseconds(10'000)};
  question.timeout = timeouts[draw(71, 4)];
  switch (draw(1, 3)) {
    case 0:
      break;
    case 1:
      question.nodes = {fault.node, fault.other};
      break;
    default:
      question.tagged = fault.other;
      break;
  }
  return question;
}

Chaos::Chaos(World& world, Questions& questions, FaultPlan plan)
    : world_(world), questions_(questions), plan_(std::move(plan)), active_(plan_.faults.size()) {
  for (const FaultPlan::Change& change : plan_.changes()) {
    world_.at_instant(world_.now() + change.at, [this, change] {
      if (over_) return;
      if (change.begins) {
        begin(change.fault);
      } else {
        end(change.fault);
      }
    });
  }
}

void Chaos::begin(std::uint32_t number) {
  const Fault& fault = plan_.faults[number];
  active_[number] = true;
  world_.trace().note(world_.now(), "begin " + to_text(fault));
  Report& report = world_.report();
  switch (fault.kind) {
    case FaultKind::one_way:
      world_.links().close(fault.node, fault.other);
      break;
    case FaultKind::partition:
      report.add(Count::partitions);
      world_.links().split(number, fault.group_of_node);
      world_.streams().on_partition(world_.now());
      break;
    case FaultKind::crash:
      if (world_.running(fault.node)) report.add(Count::crashes);
      world_.stop(fault.node, false);
      break;
    case FaultKind::power_loss:
      if (world_.running(fault.node)) report.add(Count::power_losses);
      world_.stop(fault.node, true);
      break;
    case FaultKind::pause:
      if (world_.running(fault.node)) report.add(Count::pauses);
      world_.pause(fault.node);
      break;
    case FaultKind::leave:
      if (!world_.leaving(fault.node)) world_.leave(fault.node);
      break;
    case FaultKind::set_meta:
      if (!world_.leaving(fault.node)) world_.set_meta(fault.node);
      break;
    case FaultKind::force_leave:
      world_.force_leave(fault.node, fault.other);
      break;
    case FaultKind::user_event: {
      SentEvent event{.name = "chaos-" + std::to_string(number), .sender = fault.node, .lives = {}};
      for (const NodeId node : world_.all_nodes()) {
        event.lives.push_back(world_.running(node) ? world_.life(node) : 0);
      }
      if (world_.send_user_event(fault.node, event.name, "payload")) sent_.push_back(event);
      break;
    }
    case FaultKind::query:
      if (questions_.ask(fault.node, question_of(fault, number))) {
        report.add(Count::queries_asked);
      }
      break;
    case FaultKind::loss:
    case FaultKind::duplicate:
    case FaultKind::reorder:
    case FaultKind::corrupt:
    case FaultKind::slow_streams:
    case FaultKind::stream_loss:
      set_conditions();
      break;
  }
}

void Chaos::end(std::uint32_t number) {
  const Fault& fault = plan_.faults[number];
  active_[number] = false;
  world_.trace().note(world_.now(), "end " + to_text(fault));
  switch (fault.kind) {
    case FaultKind::one_way:
      world_.links().open_again(fault.node, fault.other);
      break;
    case FaultKind::partition:
      world_.links().heal(number);
      break;
    case FaultKind::crash:
    case FaultKind::power_loss:
      world_.start(fault.node);
      break;
    case FaultKind::pause:
      world_.resume(fault.node);
      break;
    case FaultKind::leave:
      if (!world_.leaving(fault.node)) break;  // started again meanwhile
      world_.stop(fault.node, false);
      world_.start(fault.node);
      break;
    case FaultKind::set_meta:
    case FaultKind::user_event:
    case FaultKind::force_leave:
    case FaultKind::query:
      break;
    case FaultKind::loss:
    case FaultKind::duplicate:
    case FaultKind::reorder:
    case FaultKind::corrupt:
    case FaultKind::slow_streams:
    case FaultKind::stream_loss:
      set_conditions();
      break;
  }
}

// The probability that at least one of the episodes under way strikes.
double Chaos::combined(FaultKind kind) const {
  double spared = 1;
  for (std::size_t i = 0; i < plan_.faults.size(); ++i) {
    if (active_[i] && plan_.faults[i].kind == kind) spared *= 1 - plan_.faults[i].amount;
  }
  return 1 - spared;
}

void Chaos::set_conditions() {
  NetworkConditions& network = world_.network().conditions();
  network.loss = combined(FaultKind::loss);
  network.duplicate = combined(FaultKind::duplicate);
  network.reorder = combined(FaultKind::reorder);
  network.corrupt = combined(FaultKind::corrupt);
  StreamConditions& streams = world_.streams().conditions();
  streams.loss = combined(FaultKind::stream_loss);
  double slowest = 0;
  for (std::size_t i = 0; i < plan_.faults.size(); ++i) {
    const Fault& fault = plan_.faults[i];
    if (!active_[i] || fault.kind != FaultKind::slow_streams) continue;
    slowest = slowest == 0 ? fault.amount : std::min(slowest, fault.amount);
  }
  streams.bytes_per_s = static_cast<std::uint64_t>(slowest);
}

void Chaos::calm() {
  over_ = true;
  world_.trace().note(world_.now(), "calm");
  std::fill(active_.begin(), active_.end(), false);
  set_conditions();
  world_.links().heal_all();
  for (const NodeId node : world_.all_nodes()) {
    while (world_.paused(node)) world_.resume(node);
    if (world_.leaving(node)) world_.stop(node, false);
    world_.start(node);
  }
}

}  // namespace starling::sim
