#include "io/thread/doorbell.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cstdint>

namespace starling::io {

Doorbell::Doorbell() : event_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

void Doorbell::ring() {
  // Pairs with the exchange in silence(): either this call sees the flag down and rings, or the
  // owner's exchange comes later and sees everything written before this call.
  if (rung_.exchange(true, std::memory_order_acq_rel)) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(event_.descriptor(), &one, sizeof one);
}

void Doorbell::silence() {
  std::uint64_t rings = 0;
  [[maybe_unused]] const ssize_t got = ::read(event_.descriptor(), &rings, sizeof rings);
  rung_.exchange(false, std::memory_order_acq_rel);
}

bool Doorbell::wait(Duration at_most) const {
  pollfd watched{.fd = event_.descriptor(), .events = POLLIN, .revents = 0};
  const Duration bounded = std::min<Duration>(at_most, std::chrono::hours(1));
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(bounded).count();
  return ::poll(&watched, 1, static_cast<int>(milliseconds)) > 0;
}

}  // namespace starling::io
