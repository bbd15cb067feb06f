#include "agent/event_loop.h"

#include <algorithm>
#include <utility>

#include "io/clock.h"

namespace starling::agent {

EventLoop::EventLoop() {
  if (bell_.open()) {
    watch(bell_.descriptor(), POLLIN, [this](short) { run_posted(); });
  }
}

Instant EventLoop::now() {
  return io::MonotonicClock::now();
}

void EventLoop::watch(int descriptor, short events, std::function<void(short)> on_ready) {
  watched_[descriptor] = {
      .events = events,
      .generation = ++generation_,
      .on_ready = std::make_shared<std::function<void(short)>>(std::move(on_ready))};
}

void EventLoop::change(int descriptor, short events) {
  if (const auto at = watched_.find(descriptor); at != watched_.end()) at->second.events = events;
}

EventLoop::TimerId EventLoop::at(Instant due, Callback callback) {
  const TimerId timer = ++last_timer_;
  timers_.emplace(std::pair(due, timer), std::move(callback));
  due_.emplace(timer, due);
  return timer;
}

void EventLoop::cancel(TimerId timer) {
  const auto at = due_.find(timer);
  if (at == due_.end()) return;
  timers_.erase(std::pair(at->second, timer));
  due_.erase(at);
}

void EventLoop::post(Callback callback) {
  {
    const std::lock_guard lock(posted_mutex_);
    posted_.push_back(std::move(callback));
  }
  bell_.ring();
}

void EventLoop::run_posted() {
  bell_.silence();
  std::vector<Callback> calls;
  {
    const std::lock_guard lock(posted_mutex_);
    calls.swap(posted_);
  }
  for (const Callback& call : calls) call();
}

void EventLoop::run_timers() {
  const Instant present = now();
  while (!timers_.empty() && timers_.begin()->first.first <= present) {
    const auto first = timers_.begin();
    const Callback callback = std::move(first->second);
    due_.erase(first->first.second);
    timers_.erase(first);
    callback();
  }
}

void EventLoop::turn(Duration at_most) {
  if (!timers_.empty()) {
    at_most = std::clamp(timers_.begin()->first.first - now(), Duration::zero(), at_most);
  }
  std::vector<pollfd> entries;
  std::vector<std::uint64_t> generations;
  entries.reserve(watched_.size());
  generations.reserve(watched_.size());
  for (const auto& [descriptor, watched] : watched_) {
    entries.push_back({.fd = descriptor, .events = watched.events, .revents = 0});
    generations.push_back(watched.generation);
  }
  // Rounded up, so that a timer is due when we wake.
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(at_most);
  const int ready = poll(entries.data(), entries.size(), static_cast<int>(wait.count()));
  if (ready > 0) {
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (entries[i].revents == 0) continue;
      const auto at = watched_.find(entries[i].fd);
      if (at == watched_.end() || at->second.generation != generations[i]) continue;
      const auto on_ready = at->second.on_ready;  // survives being forgotten by its own call
      (*on_ready)(entries[i].revents);
    }
  }
  run_timers();
}

void EventLoop::run() {
  constexpr Duration longest = std::chrono::minutes(1);
  while (!stopped_) turn(longest);
}

}  // namespace starling::agent
