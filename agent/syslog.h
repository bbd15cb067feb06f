// The log's way to the system's log. protocol/serf section 16.6.
//
// Speaks the local syslog protocol itself, so that the tag and the facility are this agent's and a
// missing daemon is told at start. Messages are sent without waiting; one that the daemon does not
// take is counted, and the next one connects again. Owned by the agent, control thread only.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/log.h"
#include "io/file.h"

namespace starling::agent {

// "LOCAL0", "DAEMON", ... in any case; its number, not shifted.
std::optional<int> syslog_facility_from(std::string_view text);
// What a log level is to syslog: TRACE 7, DEBUG 6, INFO 5, WARN 4, ERR 3.
int syslog_severity(LogLevel level);

class Syslog {
 public:
  // The sockets to try, in order. The error is Serf's.
  static std::expected<Syslog, std::string> open(std::string_view facility,
                                                 std::vector<std::string> sockets = {
                                                     "/dev/log", "/var/run/syslog",
                                                     "/var/run/log"});

  // The text of a log line after its level.
  void write(const LogLine& line);
  std::uint64_t lost() const { return lost_; }

 private:
  Syslog(int facility, std::vector<std::string> sockets)
      : facility_(facility), sockets_(std::move(sockets)) {}
  bool connect();

  int facility_;
  std::vector<std::string> sockets_;
  io::File socket_;
  bool stream_ = false;
  std::uint64_t lost_ = 0;
};

}  // namespace starling::agent
