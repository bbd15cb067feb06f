// The control thread's loop: file descriptors, timers, and calls from other threads.
//
// Owned by the agent and run by one thread, the control thread; post() alone may be called by any
// thread. Callbacks run on the control thread, one at a time, and may add or forget descriptors and
// timers, also their own. poll(2) is enough: a few hundred descriptors at most.
#pragma once

#include <poll.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "core/base/time.h"
#include "io/thread/doorbell.h"

namespace starling::agent {

class EventLoop {
 public:
  using Callback = std::function<void()>;
  using TimerId = std::uint64_t;  // 0 names no timer

  EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Calls on_ready with what poll(2) reported; POLLERR and POLLHUP come unasked.
  void watch(int descriptor, short events, std::function<void(short)> on_ready);
  void change(int descriptor, short events);
  void forget(int descriptor) { watched_.erase(descriptor); }

  TimerId at(Instant due, Callback callback);
  TimerId after(Duration delay, Callback callback) {
    return at(now() + delay, std::move(callback));
  }
  void cancel(TimerId timer);

  // From any thread: runs `callback` on the control thread soon.
  void post(Callback callback);

  // Runs until stop().
  void run();
  void stop() { stopped_ = true; }
  // One round of waiting, for at most `at_most`, and of callbacks.
  void turn(Duration at_most);

  static Instant now();

 private:
  struct Watched {
    short events = 0;
    std::uint64_t generation = 0;  // tells a descriptor number used again from its predecessor
    std::shared_ptr<std::function<void(short)>> on_ready;
  };
  void run_posted();
  void run_timers();

  std::map<int, Watched> watched_;
  std::uint64_t generation_ = 0;
  std::map<std::pair<Instant, TimerId>, Callback> timers_;
  std::map<TimerId, Instant> due_;
  TimerId last_timer_ = 0;
  bool stopped_ = false;

  io::Doorbell bell_;
  std::mutex posted_mutex_;
  std::vector<Callback> posted_;  // guarded by posted_mutex_
};

}  // namespace starling::agent
