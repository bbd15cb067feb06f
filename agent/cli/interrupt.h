// Interrupts as a readable descriptor, for commands that wait for records.
//
// While one lives, SIGINT and SIGTERM do not end the program but make the descriptor readable. Made
// and used by the thread that runs the command.
#pragma once

#include <chrono>
#include <csignal>

namespace starling::agent::cli {

class InterruptDescriptor {
 public:
  InterruptDescriptor();
  ~InterruptDescriptor();
  InterruptDescriptor(const InterruptDescriptor&) = delete;
  InterruptDescriptor& operator=(const InterruptDescriptor&) = delete;
  int descriptor() const { return descriptor_; }
  // Waits so long, or until an interrupt: true then.
  bool wait(std::chrono::milliseconds most) const;

 private:
  sigset_t before_{};
  int descriptor_ = -1;
};

}  // namespace starling::agent::cli
