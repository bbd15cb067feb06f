#include "agent/log.h"

#include <algorithm>
#include <ctime>

#include "agent/event_loop.h"
#include "agent/go_text.h"

namespace starling::agent {
namespace {

std::string time_text() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  return fmt::format("{:04}/{:02}/{:02} {:02}:{:02}:{:02}", local.tm_year + 1900, local.tm_mon + 1,
                     local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec);
}

}  // namespace

std::optional<LogLevel> log_level_from(std::string_view text) {
  const auto at = std::ranges::find(log_level_names, to_upper(text));
  if (at == log_level_names.end()) return std::nullopt;
  return static_cast<LogLevel>(at - log_level_names.begin());
}

void Log::write(LogLevel level, std::string_view text) {
  if (writing_) return;
  writing_ = true;
  if (text.ends_with('\n')) text.remove_suffix(1);  // the sink ends the line
  const std::string_view name = log_level_names[static_cast<std::size_t>(level)];
  LogLine line{level, fmt::format("{} [{}] {}", time_text(), name, text)};
  if (level >= threshold_ && gate_open_) {
    sink_(line.text);
  } else if (level >= threshold_) {
    if (held_.size() >= lines_max) held_.pop_front();
    held_.push_back(line);
  }
  for (const auto& [id, listener] : listeners_) listener(line);
  if (ring_.size() >= lines_max) ring_.pop_front();
  ring_.push_back(std::move(line));
  writing_ = false;
}

Log::Limited Log::limited(std::string_view kind, unsigned lines_per_second) {
  const bool may = limiter_ == nullptr || limiter_->admit(kind, EventLoop::now(), lines_per_second);
  return Limited(may ? this : nullptr);
}

void Log::open_gate() {
  gate_open_ = true;
  for (const LogLine& line : held_) sink_(line.text);
  held_.clear();
}

Log::ListenerId Log::listen(std::function<void(const LogLine&)> listener) {
  listeners_.emplace(++last_listener_, std::move(listener));
  return last_listener_;
}

}  // namespace starling::agent
