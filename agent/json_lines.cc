#include "agent/json_lines.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "agent/go_text.h"

namespace starling::agent {
namespace {

class Walk {
 public:
  explicit Walk(std::string_view json) : rest_(json) {}

  // One value at `path`; false at the end of what makes sense.
  bool value(const std::string& path, std::size_t depth) {
    skip_space();
    if (rest_.empty()) return false;
    if (rest_.front() == '{' || rest_.front() == '[') {
      return depth < json_lines_depth_max ? container(path, depth) : skip_container();
    }
    if (rest_.front() == '"') return !string().empty();
    const std::size_t end = std::min(rest_.find_first_of(",]} \t\r\n"), rest_.size());
    take(end);
    return end > 0;
  }
  JsonLines lines;

 private:
  bool container(const std::string& path, std::size_t depth) {
    const bool object = rest_.front() == '{';
    take(1);
    for (std::size_t i = 0;; ++i) {
      skip_space();
      if (rest_.empty()) return false;
      if (rest_.front() == (object ? '}' : ']')) {
        take(1);
        return true;
      }
      if (i > 0) {
        if (rest_.front() != ',') return false;
        take(1);
        skip_space();
      }
      std::string name = std::to_string(i);
      const std::size_t line = line_;
      if (object) {
        const auto key = nlohmann::json::parse(string(), nullptr, false);
        if (!key.is_string()) return false;
        name = key.get<std::string>();
        skip_space();
        if (rest_.empty() || rest_.front() != ':') return false;
        take(1);
      }
      const std::string inner = depth == 0 ? to_lower(name) : path + "[" + name + "]";
      lines.emplace(inner, line);
      if (!value(inner, depth + 1)) return false;
    }
  }
  bool skip_container() {
    std::size_t open = 0;
    while (!rest_.empty()) {
      const char c = rest_.front();
      if (c == '"') {
        if (string().empty()) return false;
        continue;
      }
      take(1);
      if (c == '{' || c == '[') ++open;
      if ((c == '}' || c == ']') && --open == 0) return true;
    }
    return false;
  }
  // With its quotes; empty where none stands.
  std::string_view string() {
    if (rest_.empty() || rest_.front() != '"') return {};
    std::size_t end = 1;
    while (end < rest_.size() && rest_[end] != '"') end += rest_[end] == '\\' ? 2 : 1;
    if (end >= rest_.size()) return {};
    return take(end + 1);
  }
  std::string_view take(std::size_t count) {
    const std::string_view taken = rest_.substr(0, count);
    line_ += static_cast<std::size_t>(std::ranges::count(taken, '\n'));
    rest_.remove_prefix(taken.size());
    return taken;
  }
  void skip_space() { take(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size())); }

  std::string_view rest_;
  std::size_t line_ = 1;
};

}  // namespace

JsonLines json_lines(std::string_view json) {
  Walk walk(json);
  walk.value("", 0);
  return std::move(walk.lines);
}

}  // namespace starling::agent
