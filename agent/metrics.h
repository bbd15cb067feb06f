// What the agent counts and measures: kept for SIGUSR1, and sent to statsd or statsite.
//
// protocol/serf section 16.6. Serf's names, with its prefix "serf-agent."; gauges get the host's
// name before the rest when they are sent somewhere. Kept in intervals of ten seconds for a minute,
// as Serf does. Owned by the agent, control thread only. Bounds: names_max in an interval, because
// events bring names of their own; further ones are dropped and counted.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace starling::agent {

class Metrics {
 public:
  using Wall = std::chrono::system_clock::time_point;
  static constexpr std::chrono::seconds interval{10};
  static constexpr std::size_t intervals_max = 6;
  static constexpr std::size_t names_max = 4'096;
  // Takes one line of the statsd protocol, with its newline.
  using Sink = std::function<void(std::string_view line)>;
  // Several values that were added up elsewhere. Their mean stands for each of them.
  struct Sum {
    double sum = 0;
    std::uint64_t times = 0;
  };
  // A sum of samples becomes so many lines at most; beyond that they carry a sample rate.
  static constexpr std::uint64_t sample_lines_max = 16;

  explicit Metrics(std::function<Wall()> clock = std::chrono::system_clock::now)
      : clock_(std::move(clock)) {}

  // `host`: the name that gauges get.
  void add_sink(Sink sink, std::string_view host);

  // A sum of nothing is no news.
  void count(std::string_view name, Sum by = {1, 1});
  void gauge(std::string_view name, double value);
  void sample(std::string_view name, double value) { sample(name, {value, 1}); }
  void sample(std::string_view name, Sum values);

  // The intervals that have ended, oldest first, one line a value:
  // "[2026-01-02 03:04:10 +0000 UTC][C] 'serf-agent.serf.events': Count: 2 Sum: ...".
  std::string dump();
  std::uint64_t dropped() const { return dropped_; }

 private:
  struct Aggregate {
    std::uint64_t count = 0;
    double sum = 0, sum_of_squares = 0, least = 0, most = 0;
    Wall updated{};
    void add(Sum values, Wall now);
  };
  struct Interval {
    Wall start{};
    std::map<std::string, double, std::less<>> gauges;
    std::map<std::string, Aggregate, std::less<>> counters, samples;
  };
  static std::string text_of(const Aggregate& aggregate);

  Interval& current();
  void emit(std::string_view name, double value, std::string_view kind, std::uint64_t lines = 1);
  template <class Map>
  auto* place(Map& map, const std::string& name);

  std::function<Wall()> clock_;
  std::deque<Interval> intervals_;
  std::deque<Sink> sinks_;
  std::string host_;  // empty: nothing is sent
  std::uint64_t dropped_ = 0;
};

}  // namespace starling::agent
