#include "agent/cli/interrupt.h"

#include <algorithm>
#include <cstdint>

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace starling::agent::cli {

InterruptDescriptor::InterruptDescriptor() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, &before_);
  descriptor_ = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

bool InterruptDescriptor::wait(std::chrono::milliseconds most) const {
  pollfd watched{.fd = descriptor_, .events = POLLIN, .revents = 0};
  const auto bounded = std::clamp<std::int64_t>(most.count(), 0, 24 * 3600 * 1000);
  return poll(&watched, 1, static_cast<int>(bounded)) == 1;
}

InterruptDescriptor::~InterruptDescriptor() {
  if (descriptor_ >= 0) {
    // Whoever saw the interrupt answered it: left pending, it would end the program below.
    signalfd_siginfo answered;
    while (read(descriptor_, &answered, sizeof(answered)) == sizeof(answered)) {
    }
    close(descriptor_);
  }
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace starling::agent::cli
