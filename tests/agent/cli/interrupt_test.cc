#include "agent/cli/interrupt.h"

#include <gtest/gtest.h>
#include <poll.h>

namespace starling::agent::cli {
namespace {

bool readable(const InterruptDescriptor& interrupt) {
  pollfd entry{.fd = interrupt.descriptor(), .events = POLLIN, .revents = 0};
  return poll(&entry, 1, 0) == 1;
}

TEST(InterruptDescriptor, BecomesReadableAndSwallowsTheSignal) {
  {
    const InterruptDescriptor interrupt;
    EXPECT_FALSE(readable(interrupt));
    raise(SIGINT);
    EXPECT_TRUE(readable(interrupt));
  }
  // Answered above: it does not end the program now, nor does the next one see it.
  const InterruptDescriptor next;
  EXPECT_FALSE(readable(next));
}

}  // namespace
}  // namespace starling::agent::cli
