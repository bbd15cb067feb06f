#include "io/memory/network.h"

#include "io/memory/ports.h"

namespace starling::io {

namespace {

constexpr std::uint16_t chosen_ports_first = 32'768;
constexpr std::uint16_t last_port = 65'535;
constexpr int chosen_ports = 32'768;

}  // namespace

MemoryNetwork::MemoryNetwork()
    : switchboard_(std::make_shared<Switchboard>()), next_port_(chosen_ports_first) {}

std::expected<std::unique_ptr<Ports>, std::string> MemoryNetwork::open(const PortOptions& options) {
  auto ports = MemoryPorts::create(options, switchboard_);
  if (!ports) return std::unexpected(std::move(ports.error()));
  Endpoint bound{unmapped(options.bind.address), options.bind.port};
  const std::lock_guard lock(switchboard_->mutex);
  for (int tried = 0; bound.port == 0 && tried < chosen_ports; ++tried) {
    const Endpoint next{bound.address, next_port_};
    next_port_ =
        next_port_ == last_port ? chosen_ports_first : static_cast<std::uint16_t>(next_port_ + 1);
    if (switchboard_->find(next) == nullptr) bound = next;
  }
  if (bound.port == 0 || switchboard_->find(bound) != nullptr) {
    // The ports go after the lock, which their destructor takes.
    return std::unexpected("bind " + to_text(bound) + ": address already in use");
  }
  (*ports)->enter(bound);
  return std::unique_ptr<Ports>(std::move(*ports));
}

}  // namespace starling::io
