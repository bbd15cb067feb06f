// Signals as a file descriptor, so that the loop takes them like everything else.
//
// Blocks SIGINT, SIGTERM, SIGHUP and SIGUSR1 and ignores SIGPIPE for the calling thread and every
// thread that it starts later: create one before any other thread. Owned by the agent.
#pragma once

#include <optional>
#include <string_view>

#include "io/file.h"

namespace starling::agent {

class Signals {
 public:
  Signals();
  int descriptor() const { return file_.descriptor(); }
  // The next signal that came; nullopt when there is none.
  std::optional<int> take();

 private:
  io::File file_;
};

// Go's words: "interrupt", "terminated", "hangup".
std::string_view signal_text(int signal);

}  // namespace starling::agent
