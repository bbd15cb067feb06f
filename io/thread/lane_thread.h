// LaneThread: a thread that runs one lane until it is stopped.
//
// The owner starts and stops it; lane and ports belong to the thread in between and must outlive
// it.
#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "io/thread/run_lane.h"

namespace starling::io {

class LaneThread {
 public:
  struct Options {
    std::string name = "lane";  // the system shows the first 15 bytes
    std::optional<unsigned> core =
        std::nullopt;  // logical number of a core, as hwloc counts; nothing: any
    RunOptions run = {};
  };

  // `on_news` is called by the new thread after a turn with news for the owner. The error says why
  // there is no thread or why it could not be bound to the core.
  template <Drivable Driven>
  static std::expected<std::unique_ptr<LaneThread>, std::string> start(
      Driven& lane, Ports& ports, std::function<void()> on_news, const Options& options) {
    std::unique_ptr<LaneThread> thread(new LaneThread(ports));
    auto error =
        thread->launch([&lane, &ports, self = thread.get(), on_news = std::move(on_news),
                        run = options.run] { run_lane(lane, ports, self->stop_, on_news, run); },
                       options);
    if (error) return std::unexpected(std::move(*error));
    return thread;
  }

  ~LaneThread() { stop(); }
  LaneThread(const LaneThread&) = delete;
  LaneThread& operator=(const LaneThread&) = delete;

  // Returns when the thread has ended. What the lane had still to say is lost: let it leave first.
  void stop();

 private:
  explicit LaneThread(Ports& ports) : ports_(&ports) {}
  std::optional<std::string> launch(std::function<void()> body, const Options& options);

  Ports* ports_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace starling::io
