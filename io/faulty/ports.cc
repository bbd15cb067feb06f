#include "io/faulty/ports.h"

#include <algorithm>

#include "io/clock.h"

namespace starling::io {

std::expected<std::unique_ptr<FaultyPorts>, std::string> FaultyPorts::create(
    std::unique_ptr<Ports> inner, const Options& options) {
  std::unique_ptr<FaultyPorts> ports(new FaultyPorts(std::move(inner)));
  auto datagrams = FaultyDatagrams::create(ports->inner_->datagrams(), ports->controls_, options);
  if (!datagrams) return std::unexpected(std::move(datagrams.error()));
  ports->datagrams_ = std::move(*datagrams);
  ports->streams_ =
      std::make_unique<FaultyStreams>(ports->inner_->streams(), ports->controls_, options.seed + 2);
  return ports;
}

void FaultyPorts::wait(Duration at_most) {
  if (streams_->due()) at_most = Duration::zero();
  const Instant due = std::min(datagrams_->next_due(), streams_->next_due());
  if (due != Instant::max()) {
    const Duration left = std::max(due - MonotonicClock::now(), Duration::zero());
    at_most = std::min(at_most, left);
  }
  inner_->wait(at_most);
}

}  // namespace starling::io
