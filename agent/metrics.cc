#include "agent/metrics.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <utility>

#include <fmt/format.h>

namespace starling::agent {
namespace {

constexpr std::string_view prefix = "serf-agent.";

// As Go prints an instant.
std::string wall_text(Metrics::Wall at) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(at);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02} +0000 UTC", utc.tm_year + 1900,
                     utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

}  // namespace

void Metrics::Aggregate::add(Sum values, Wall now) {
  const auto times = static_cast<double>(values.times);
  const double mean = values.sum / times;
  least = count == 0 ? mean : std::min(least, mean);
  most = count == 0 ? mean : std::max(most, mean);
  count += values.times;
  sum += values.sum;
  sum_of_squares += times * mean * mean;
  updated = now;
}

std::string Metrics::text_of(const Aggregate& a) {
  const auto n = static_cast<double>(a.count);
  const double above = n * a.sum_of_squares - a.sum * a.sum;
  const double below = n * (n - 1);
  const double deviation = below > 0 && above > 0 ? std::sqrt(above / below) : 0;
  if (deviation == 0) {
    return fmt::format("Count: {} Sum: {:.3f} LastUpdated: {}", a.count, a.sum,
                       wall_text(a.updated));
  }
  return fmt::format(
      "Count: {} Min: {:.3f} Mean: {:.3f} Max: {:.3f} Stddev: {:.3f} Sum: {:.3f} LastUpdated: {}",
      a.count, a.least, a.sum / n, a.most, deviation, a.sum, wall_text(a.updated));
}

void Metrics::add_sink(Sink sink, std::string_view host) {
  sinks_.push_back(std::move(sink));
  host_ = host;
}

Metrics::Interval& Metrics::current() {
  const Wall now = clock_();
  const auto since = now.time_since_epoch();
  const Wall start(since - since % interval);
  if (intervals_.empty() || intervals_.back().start != start) {
    intervals_.push_back({.start = start, .gauges = {}, .counters = {}, .samples = {}});
    // The one that is being filled and those that have ended.
    if (intervals_.size() > intervals_max + 1) intervals_.pop_front();
  }
  return intervals_.back();
}

template <class Map>
auto* Metrics::place(Map& map, const std::string& name) {
  const auto at = map.find(name);
  if (at != map.end()) return &at->second;
  if (map.size() >= names_max) {
    ++dropped_;
    return static_cast<typename Map::mapped_type*>(nullptr);
  }
  return &map[name];
}

void Metrics::emit(std::string_view name, double value, std::string_view kind,
                   std::uint64_t lines) {
  if (sinks_.empty()) return;
  std::string flat(name);
  std::ranges::replace_if(
      flat, [](char c) { return c == ':' || c == ' ' || c == '\n'; }, '_');
  const std::string line = fmt::format("{}:{:f}|{}\n", flat, value, kind);
  for (const Sink& sink : sinks_) {
    for (std::uint64_t i = 0; i < lines; ++i) sink(line);
  }
}

void Metrics::count(std::string_view name, Sum by) {
  if (by.times == 0) return;
  const std::string full = std::string(prefix) + std::string(name);
  Interval& now = current();
  if (Aggregate* at = place(now.counters, full)) at->add(by, clock_());
  emit(full, by.sum, "c");
}

void Metrics::gauge(std::string_view name, double value) {
  std::string full(prefix);
  if (!host_.empty()) full += host_ + ".";
  full += name;
  Interval& now = current();
  if (double* at = place(now.gauges, full)) *at = value;
  emit(full, value, "g");
}

void Metrics::sample(std::string_view name, Sum values) {
  if (values.times == 0) return;
  const std::string full = std::string(prefix) + std::string(name);
  Interval& now = current();
  if (Aggregate* at = place(now.samples, full)) at->add(values, clock_());
  const double mean = values.sum / static_cast<double>(values.times);
  if (values.times <= sample_lines_max) return emit(full, mean, "ms", values.times);
  // Collectors want the rate without an exponent.
  const double rate = static_cast<double>(sample_lines_max) / static_cast<double>(values.times);
  emit(full, mean, fmt::format("ms|@{:.12f}", rate), sample_lines_max);
}

std::string Metrics::dump() {
  static_cast<void>(current());
  std::string out;
  for (std::size_t i = 0; i + 1 < intervals_.size(); ++i) {
    const Interval& each = intervals_[i];
    const std::string start = wall_text(each.start);
    for (const auto& [name, value] : each.gauges) {
      out += fmt::format("[{}][G] '{}': {:.3f}\n", start, name, value);
    }
    for (const auto& [name, aggregate] : each.counters) {
      out += fmt::format("[{}][C] '{}': {}\n", start, name, text_of(aggregate));
    }
    for (const auto& [name, aggregate] : each.samples) {
      out += fmt::format("[{}][S] '{}': {}\n", start, name, text_of(aggregate));
    }
  }
  return out;
}

}  // namespace starling::agent
