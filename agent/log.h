// The agent's log: levels, the gate before start-up has ended, and the ring that `monitor` begins
// with.
//
// protocol/serf section 16.2. Lines are `YYYY/MM/DD HH:MM:SS [LEVEL] subsystem: text` in local
// time. Until open_gate() nothing is printed; a start that fails never shows its lines. Every line,
// whatever its level, enters the ring and is offered to the listeners. Owned by the agent, called
// by the control thread only. Bounds: 512 lines in the ring, 512 behind the gate.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "agent/log_limiter.h"

namespace starling::agent {

enum class LogLevel : std::uint8_t { trace, debug, info, warn, err };
inline constexpr std::array<std::string_view, 5> log_level_names{"TRACE", "DEBUG", "INFO", "WARN",
                                                                 "ERR"};
// Any case; nullopt for an unknown name.
std::optional<LogLevel> log_level_from(std::string_view text);

struct LogLine {
  LogLevel level = LogLevel::info;
  std::string text;  // with time and level, without a newline
};

class Log {
 public:
  static constexpr std::size_t lines_max = 512;
  using Sink = std::function<void(std::string_view line)>;

  // `sink` prints the lines that pass the threshold, once the gate is open.
  Log(LogLevel threshold, Sink sink) : threshold_(threshold), sink_(std::move(sink)) {}

  void write(LogLevel level, std::string_view text);
  template <class... Arguments>
  void debug(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    write(LogLevel::debug, fmt::format(format, std::forward<Arguments>(arguments)...));
  }
  template <class... Arguments>
  void info(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    write(LogLevel::info, fmt::format(format, std::forward<Arguments>(arguments)...));
  }
  template <class... Arguments>
  void warn(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    write(LogLevel::warn, fmt::format(format, std::forward<Arguments>(arguments)...));
  }
  template <class... Arguments>
  void err(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    write(LogLevel::err, fmt::format(format, std::forward<Arguments>(arguments)...));
  }

  // A line that is left out, and counted, where there are too many of its kind.
  class Limited {
   public:
    explicit Limited(Log* log) : log_(log) {}
    template <class... Arguments>
    void debug(fmt::format_string<Arguments...> format, Arguments&&... arguments) const {
      if (log_ != nullptr) log_->debug(format, std::forward<Arguments>(arguments)...);
    }
    template <class... Arguments>
    void info(fmt::format_string<Arguments...> format, Arguments&&... arguments) const {
      if (log_ != nullptr) log_->info(format, std::forward<Arguments>(arguments)...);
    }
    template <class... Arguments>
    void warn(fmt::format_string<Arguments...> format, Arguments&&... arguments) const {
      if (log_ != nullptr) log_->warn(format, std::forward<Arguments>(arguments)...);
    }
    template <class... Arguments>
    void err(fmt::format_string<Arguments...> format, Arguments&&... arguments) const {
      if (log_ != nullptr) log_->err(format, std::forward<Arguments>(arguments)...);
    }

   private:
    Log* log_;  // none: the line is left out
  };
  // For every line that a peer or a client can cause: of what was refused or went wrong, and of
  // what they may say. `kind` is a name in the program, never text from outside.
  Limited refused(std::string_view kind) { return limited(kind, LogLimiter::refused_lines_max); }
  Limited told(std::string_view kind) { return limited(kind, LogLimiter::told_lines_max); }
  // Without one, which must outlive its use, every such line is written.
  void limit_by(LogLimiter* limiter) { limiter_ = limiter; }

  void open_gate();
  void set_threshold(LogLevel threshold) { threshold_ = threshold; }
  LogLevel threshold() const { return threshold_; }

  // The last lines, oldest first.
  const std::deque<LogLine>& ring() const { return ring_; }

  // `listener` sees every later line of any level, until forgotten. Listeners must not write to the
  // log themselves: such a line is dropped.
  using ListenerId = std::uint64_t;
  ListenerId listen(std::function<void(const LogLine&)> listener);
  void forget(ListenerId id) { listeners_.erase(id); }

 private:
  Limited limited(std::string_view kind, unsigned lines_per_second);

  LogLimiter* limiter_ = nullptr;
  LogLevel threshold_;
  Sink sink_;
  bool gate_open_ = false;
  bool writing_ = false;
  std::deque<LogLine> ring_;
  std::deque<LogLine> held_;
  ListenerId last_listener_ = 0;
  std::map<ListenerId, std::function<void(const LogLine&)>> listeners_;
};

}  // namespace starling::agent
