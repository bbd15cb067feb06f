#include "io/memory/ports.h"

#include <algorithm>

#include "io/clock.h"

namespace starling::io {

MemoryPorts* Switchboard::find(const Endpoint& endpoint) const {
  const auto found = ports.find({unmapped(endpoint.address), endpoint.port});
  return found == ports.end() ? nullptr : found->second;
}

MemoryPorts::MemoryPorts(const PortOptions& options, std::shared_ptr<Switchboard> switchboard)
    : switchboard_(std::move(switchboard)), streams_(options, *switchboard_, *this, counters_) {}

std::expected<std::unique_ptr<MemoryPorts>, std::string> MemoryPorts::create(
    const PortOptions& options, std::shared_ptr<Switchboard> switchboard) {
  Switchboard& board = *switchboard;
  std::unique_ptr<MemoryPorts> ports(new MemoryPorts(options, std::move(switchboard)));
  auto datagrams = MemoryDatagrams::create(options, board, *ports, ports->counters_);
  if (!datagrams) return std::unexpected(std::move(datagrams.error()));
  ports->datagrams_ = std::move(*datagrams);
  return ports;
}

void MemoryPorts::enter(const Endpoint& bound) {
  bound_ = bound;
  switchboard_->ports[bound] = this;
}

MemoryPorts::~MemoryPorts() {
  const std::lock_guard lock(switchboard_->mutex);
  const auto found = switchboard_->ports.find(bound_);
  // Not in the switchboard when the address was taken.
  if (found != switchboard_->ports.end() && found->second == this) switchboard_->ports.erase(found);
  streams_.abandon_all();
}

void MemoryPorts::arrive(const Endpoint& from, Bytes bytes) {
  datagrams_->put(from, bytes);
  notify();
}

void MemoryPorts::wait(Duration at_most) {
  std::unique_lock lock(switchboard_->mutex);
  const auto ready = [&] { return woken_ || datagrams_->waiting() || streams_.due(); };
  if (const Instant due = streams_.next_due(); due != Instant::max()) {
    at_most = std::clamp(due - MonotonicClock::now(), Duration::zero(),
                         std::max(at_most, Duration::zero()));
  }
  // The clock's sum must not overflow.
  at_most = std::min<Duration>(at_most, std::chrono::hours(1));
  if (at_most > Duration::zero()) changed_.wait_for(lock, at_most, ready);
  woken_ = false;
}

void MemoryPorts::wake() {
  const std::lock_guard lock(switchboard_->mutex);
  woken_ = true;
  notify();
}

}  // namespace starling::io
