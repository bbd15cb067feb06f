#include "agent/event_handlers.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "wire/base/check.h"

extern char** environ;

namespace starling::agent {

EventHandlers::EventHandlers(Options options) : options_(std::move(options)) {
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    environment_.emplace_back(*entry);
  }
  stop_fd_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  CHECK(stop_fd_ >= 0);
  worker_ = std::thread([this] { run(); });
}

EventHandlers::~EventHandlers() {
  stop();
  ::close(stop_fd_);
}

void EventHandlers::set_scripts(std::vector<EventScript> scripts) {
  scripts_ = std::move(scripts);
}

bool EventHandlers::submit(HandlerEvent event, const HandlerSelf& self) {
  Work work;
  for (const EventScript& script : scripts_) {
    const bool named = event.kind != HandlerEvent::Kind::member;
    if (script.filter.matches(event.kind_text(), named ? event.name : "")) {
      work.commands.push_back(script.command);
    }
  }
  if (work.commands.empty()) return true;
  work.environment = handler_environment(event, self);
  work.event = std::make_shared<const HandlerEvent>(std::move(event));
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || queue_.size() >= options_.events_max) {
      ++dropped_;
      return false;
    }
    queue_.push_back(std::move(work));
  }
  changed_.notify_one();
  return true;
}

std::size_t EventHandlers::pending() const {
  const std::lock_guard lock(mutex_);
  return queue_.size() + (running_ ? 1 : 0);
}

void EventHandlers::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  const std::uint64_t one = 1;
  CHECK(::write(stop_fd_, &one, sizeof one) == sizeof one);
  if (worker_.joinable()) worker_.join();
}

void EventHandlers::run() {
  // Signals are the control thread's; SIGPIPE must not end the process when a script does not read.
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);

  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
    if (stopping_) return;
    const Work work = std::move(queue_.front());
    queue_.pop_front();
    running_ = true;
    lock.unlock();
    handle(work);
    lock.lock();
    running_ = false;
  }
}

void EventHandlers::handle(const Work& work) {
  Script script;
  script.environment = environment_;
  script.environment.insert(script.environment.end(), work.environment.begin(),
                            work.environment.end());
  script.input = handler_input(*work.event);
  bool answered = work.event->kind != HandlerEvent::Kind::query;
  for (const std::string& command : work.commands) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
    }
    script.command = command;
    HandlerReport report{.event = work.event, .command = command, .result = {}};
    report.result = run_script(script, options_.limits, stop_fd_, [&] {
      if (options_.on_slow) options_.on_slow(command);
    });
    report.responds = !answered && report.result.succeeded() && !report.result.output.empty();
    answered = answered || report.responds;
    if (options_.on_report) options_.on_report(report);
  }
}

}  // namespace starling::agent
