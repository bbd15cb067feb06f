// Runs one command under the shell: feeds it, reads what it says, and ends it when its time is up.
//
// protocol/serf section 16.4. The command runs as `/bin/sh -c COMMAND` in a process group of its
// own, with default signal actions and no descriptor of ours but the three standard ones. Blocks
// the calling thread until the command has ended, so it belongs on a thread of its own; that thread
// must block SIGPIPE (a script need not read its input). Never throws for what a script does.
//
// Bounds: the last `output_bytes_max` bytes of output are kept. With a time limit the call takes no
// longer than the limit, two graces and the linger.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace starling::agent {

struct Script {
  std::string command;
  std::vector<std::string>
      environment;  // NAME=VALUE, all of it; of a repeated name the last counts
  std::string input;
};

struct ScriptLimits {
  std::chrono::nanoseconds slow_after = std::chrono::seconds(1);
  std::chrono::nanoseconds time_limit = std::chrono::seconds(30);  // zero: none
  // Between SIGTERM and SIGKILL to the process group.
  std::chrono::nanoseconds term_grace = std::chrono::seconds(2);
  // How long a running script may go on after a stop was asked for.
  std::chrono::nanoseconds stop_grace = std::chrono::seconds(1);
  // A script may leave something running that keeps its output open: how long to listen to it.
  std::chrono::nanoseconds linger = std::chrono::milliseconds(250);
  std::size_t output_bytes_max = 8192;
};

struct ScriptResult {
  enum class End : std::uint8_t {
    exited,       // status: the exit status
    signalled,    // status: the signal
    timed_out,    // ended by us at the time limit
    stopped,      // ended by us because of a stop
    not_started,  // status: the errno
  };
  End end = End::not_started;
  int status = 0;
  std::string output;              // standard output and error together, the last part
  std::uint64_t output_bytes = 0;  // how much there was
  std::chrono::nanoseconds elapsed{};

  bool succeeded() const { return end == End::exited && status == 0; }
};
// "exit status 3", "signal: killed", as Go words it; for the other ends a sentence of our own.
std::string to_text(const ScriptResult& result);

// `stop_fd` becomes readable when the script shall end early; -1 for never. `on_slow` is called
// once when the script has run for longer than `slow_after`.
ScriptResult run_script(const Script& script, const ScriptLimits& limits, int stop_fd,
                        const std::function<void()>& on_slow);

}  // namespace starling::agent
