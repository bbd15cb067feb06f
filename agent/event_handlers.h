// Runs event handler scripts: one event at a time, its scripts one after another.
//
// protocol/serf section 16.4. The agent's control thread submits events; a worker thread of this
// class runs the scripts, so a slow script delays only other scripts. Which scripts an event gets
// is decided when it is submitted: a reload counts from the next event on.
//
// Owned by the agent. submit(), set_scripts() and stop() are for the control thread; `on_report`
// and `on_slow` are called on the worker thread and must be safe there. Bound: `events_max` events
// wait; more are refused and counted. Nothing waits for ever: see ScriptLimits.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "agent/event_filter.h"
#include "agent/handler_event.h"
#include "agent/script.h"

namespace starling::agent {

// What became of one script.
struct HandlerReport {
  std::shared_ptr<const HandlerEvent> event;
  std::string command;
  ScriptResult result;
  // A query's answer: the script succeeded, said something, and was the first to do so. Send
  // result.output as it is; too large an answer is the agent's to refuse.
  bool responds = false;
};

class EventHandlers {
 public:
  struct Options {
    std::size_t events_max = 1024;
    ScriptLimits limits;
    std::function<void(const HandlerReport&)> on_report;
    std::function<void(const std::string& command)> on_slow;  // ran for longer than slow_after
  };

  // Takes a copy of the process environment and starts the worker.
  explicit EventHandlers(Options options);
  ~EventHandlers();
  EventHandlers(const EventHandlers&) = delete;
  EventHandlers& operator=(const EventHandlers&) = delete;

  void set_scripts(std::vector<EventScript> scripts);

  // False: the queue is full and the event was dropped. Events that no script wants are not queued.
  bool submit(HandlerEvent event, const HandlerSelf& self);

  std::uint64_t dropped() const { return dropped_; }
  // Events that wait or run.
  std::size_t pending() const;

  // Ends the worker: nothing more is started, a running script gets limits.stop_grace to finish.
  // Returns after that, at the most stop_grace, two term_grace and the linger later. Idempotent.
  void stop();

 private:
  struct Work {
    std::shared_ptr<const HandlerEvent> event;
    std::vector<std::string> environment;
    std::vector<std::string> commands;
  };
  void run();
  void handle(const Work& work);

  Options options_;
  std::vector<std::string> environment_;
  std::vector<EventScript> scripts_;
  std::uint64_t dropped_ = 0;
  int stop_fd_ = -1;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::deque<Work> queue_;
  bool running_ = false;
  bool stopping_ = false;

  std::thread worker_;
};

}  // namespace starling::agent
