#include "agent/syslog.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <fmt/format.h>

#include "agent/go_text.h"

namespace starling::agent {
namespace {

constexpr std::array<std::pair<std::string_view, int>, 20> facilities{{
    {"KERN", 0},      {"USER", 1},    {"MAIL", 2},    {"DAEMON", 3},  {"AUTH", 4},
    {"SYSLOG", 5},    {"LPR", 6},     {"NEWS", 7},    {"UUCP", 8},    {"CRON", 9},
    {"AUTHPRIV", 10}, {"FTP", 11},    {"LOCAL0", 16}, {"LOCAL1", 17}, {"LOCAL2", 18},
    {"LOCAL3", 19},   {"LOCAL4", 20}, {"LOCAL5", 21}, {"LOCAL6", 22}, {"LOCAL7", 23},
}};

// "Jan _2 15:04:05", always in English.
std::string stamp() {
  constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  return fmt::format("{} {:2} {:02}:{:02}:{:02}", months[static_cast<std::size_t>(local.tm_mon)],
                     local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec);
}

}  // namespace

std::optional<int> syslog_facility_from(std::string_view text) {
  const std::string upper = to_upper(text);
  for (const auto& [name, number] : facilities) {
    if (name == upper) return number;
  }
  return std::nullopt;
}

int syslog_severity(LogLevel level) {
  switch (level) {
    case LogLevel::trace:
      return 7;
    case LogLevel::debug:
      return 6;  // "info", as Serf does
    case LogLevel::info:
      return 5;  // "notice"
    case LogLevel::warn:
      return 4;
    case LogLevel::err:
      return 3;
  }
  return 5;
}

std::expected<Syslog, std::string> Syslog::open(std::string_view facility,
                                                std::vector<std::string> sockets) {
  const std::optional<int> number = syslog_facility_from(facility);
  if (!number) return std::unexpected("invalid syslog facility: " + std::string(facility));
  Syslog syslog(*number, std::move(sockets));
  if (!syslog.connect()) return std::unexpected("Unix syslog delivery error");
  return syslog;
}

bool Syslog::connect() {
  for (const std::string& path : sockets_) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) continue;
    std::ranges::copy(path, address.sun_path);
    for (const bool stream : {false, true}) {
      const int kind = stream ? SOCK_STREAM : SOCK_DGRAM;
      io::File socket(::socket(AF_UNIX, kind | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      if (!socket.open()) continue;
      if (::connect(socket.descriptor(), reinterpret_cast<const sockaddr*>(&address),
                    sizeof address) != 0) {
        continue;
      }
      socket_ = std::move(socket);
      stream_ = stream;
      return true;
    }
  }
  return false;
}

void Syslog::write(const LogLine& line) {
  // "2026/01/02 03:04:05 [INFO] agent: text": only what follows the level.
  const std::size_t bracket = line.text.find("] ");
  const std::string_view text = bracket == std::string::npos
                                    ? std::string_view(line.text)
                                    : std::string_view(line.text).substr(bracket + 2);
  std::string message = fmt::format(
      "<{}>{} serf[{}]: {}", facility_ * 8 + syslog_severity(line.level), stamp(), getpid(), text);
  if (stream_) message += '\n';
  const auto send_once = [&] {
    return socket_.open() && send(socket_.descriptor(), message.data(), message.size(),
                                  MSG_NOSIGNAL) == static_cast<ssize_t>(message.size());
  };
  if (send_once()) return;
  // The daemon may have been started anew; a full socket is lost as it is.
  if (errno == EAGAIN || !connect() || !send_once()) ++lost_;
}

}  // namespace starling::agent
