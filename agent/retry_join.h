// Joins that are tried again until one works. protocol/serf section 16.1.
//
// A maximum of N allows N+1 tries, as in Serf; zero is for ever. Names are resolved anew in each
// try. A tenth of the interval is added by chance, so that members that lost the same target do not
// come back to it together. Owned by the agent, control thread only.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "agent/durations.h"
#include "agent/event_loop.h"
#include "agent/log.h"
#include "core/base/rng.h"

namespace starling::agent {

class RetryJoin {
 public:
  struct Options {
    std::vector<std::string> targets;
    bool replay = false;
    Duration interval = std::chrono::seconds(30);
    int tries_max = 0;  // further tries after the first; 0: no end
    std::uint64_t seed = 0;
  };
  using Done = std::function<void(std::size_t count, const std::string& error)>;
  using Join = std::function<void(std::vector<std::string>, bool replay, Done)>;

  // `exhausted` is called when the last try has failed.
  RetryJoin(EventLoop& loop, Log& log, Join join, Options options, std::function<void()> exhausted)
      : loop_(loop),
        log_(log),
        join_(std::move(join)),
        options_(std::move(options)),
        exhausted_(std::move(exhausted)),
        rng_(options_.seed) {}
  ~RetryJoin() { loop_.cancel(timer_); }
  RetryJoin(const RetryJoin&) = delete;
  RetryJoin& operator=(const RetryJoin&) = delete;

  void start();

 private:
  EventLoop& loop_;
  Log& log_;
  Join join_;
  Options options_;
  std::function<void()> exhausted_;
  Rng rng_;
  int tries_ = 0;
  EventLoop::TimerId timer_ = 0;
};

}  // namespace starling::agent
