#include "agent/swarm/cut_ports.h"

#include <cerrno>

#include "agent/swarm/population.h"

namespace starling::agent::swarm {

bool Cuts::between(std::uint32_t engine, const Endpoint& other) const {
  const std::uint32_t side = side_.load(std::memory_order_relaxed);
  if (side == 0) return false;
  const std::optional<std::uint32_t> there = engine_at(other);
  return there && (engine < side) != (*there < side);
}

CutPorts::CutPorts(std::unique_ptr<io::Ports> inner, const Cuts& cuts, const Options& options)
    : inner_(std::move(inner)),
      datagrams_(inner_->datagrams(), cuts, options),
      streams_(inner_->streams(), cuts, options.engine) {}

void CutPorts::Datagrams::send(std::span<const TxPacket> filled) {
  if (!cuts->active()) return inner->send(filled);
  const double loss = cuts->loss();
  for (TxPacket packet : filled) {
    const bool gone = packet.bytes > 0 && (cuts->between(engine, packet.to) || rng.chance(loss));
    if (gone) {
      packet.bytes = 0;  // gives the buffer back unsent
      ++lost;
    }
    inner->send(std::span(&packet, 1));
  }
}

void CutPorts::Streams::submit(std::span<const StreamOp> ops) {
  if (!cuts->active() && refused.empty()) return inner->submit(ops);
  for (const StreamOp& op : ops) {
    const auto same = [&](const StreamEvent& event) { return event.stream == op.stream; };
    if (std::erase_if(refused, same) > 0) continue;  // given up before it heard of the refusal
    if (op.kind == StreamOp::Kind::connect && cuts->between(engine, op.to)) {
      refused.push_back({.kind = StreamEvent::Kind::failed,
                         .stream = op.stream,
                         .peer = op.to,
                         .bytes = {},
                         .error_number = ENETUNREACH});
      continue;
    }
    inner->submit(std::span(&op, 1));
  }
}

std::size_t CutPorts::Streams::deliver(Sink& sink) {
  // The sink may make new operations, but they come through submit() later.
  const std::size_t count = refused.size();
  for (const StreamEvent& event : refused) sink.on_event(event);
  refused.clear();
  return count + inner->deliver(sink);
}

}  // namespace starling::agent::swarm
