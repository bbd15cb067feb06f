#include "agent/resolver.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace starling::agent {

struct Resolver::Shared {
  struct Job {
    std::string text;
    std::uint16_t default_port;
    std::function<void(const Answer&)> on_answer;
  };
  std::mutex mutex;  // guards everything here
  std::condition_variable changed;
  std::deque<Job> jobs;
  EventLoop* loop = nullptr;  // null: the owner has gone
  bool running = false;
};

Resolver::Resolver(EventLoop& loop) : shared_(std::make_shared<Shared>()) {
  shared_->loop = &loop;
}

Resolver::~Resolver() {
  const std::lock_guard lock(shared_->mutex);
  shared_->loop = nullptr;
  shared_->jobs.clear();
  shared_->changed.notify_all();
}

void Resolver::work(const std::shared_ptr<Shared>& shared) {
  std::unique_lock lock(shared->mutex);
  for (;;) {
    shared->changed.wait(lock, [&] { return shared->loop == nullptr || !shared->jobs.empty(); });
    if (shared->loop == nullptr) return;
    const Shared::Job job = std::move(shared->jobs.front());
    shared->jobs.pop_front();
    lock.unlock();
    Answer answer = resolve_join_target(job.text, job.default_port);
    lock.lock();
    if (shared->loop == nullptr) return;
    shared->loop->post(
        [on_answer = job.on_answer, answer = std::move(answer)] { on_answer(answer); });
  }
}

void Resolver::resolve(std::string text, std::uint16_t default_port,
                       std::function<void(const Answer&)> on_answer) {
  const std::lock_guard lock(shared_->mutex);
  shared_->jobs.push_back({std::move(text), default_port, std::move(on_answer)});
  if (!shared_->running) {
    shared_->running = true;
    std::thread([shared = shared_] { work(shared); }).detach();
  }
  shared_->changed.notify_one();
}

}  // namespace starling::agent
