#include "agent/cli/interrupt.h"

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
