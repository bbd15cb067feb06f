// The engine with its memory, its ports and the threads that drive it, seen from the control
// thread.
//
// Commands go in with a function that gets the answer; every other event goes to `on_event`. Both
// are called on the control thread, from the loop. Owned by the agent.
#pragma once

#include <deque>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "agent/event_loop.h"
#include "core/engine/engine.h"
#include "io/mapped_memory.h"
#include "io/ports.h"
#include "io/thread/doorbell.h"
#include "io/thread/lane_group.h"

namespace starling::agent {

// A command that owns what it names.
struct OwnedCommand {
  Command command;  // name, payload, filters and token are filled from here when it is sent
  std::string name;
  std::string payload;
  std::string filters;
};

class EngineHost {
 public:
  using OnEvent = std::function<void(const Event&)>;
  using OnAnswer = std::function<void(const Event& answer)>;  // of kind done or stats

  static std::expected<std::unique_ptr<EngineHost>, std::string> start(
      const EngineOptions& options, std::vector<std::unique_ptr<io::Ports>> ports, EventLoop& loop,
      OnEvent on_event, const io::LaneGroup::Options& threads = {});
  ~EngineHost();
  EngineHost(const EngineHost&) = delete;
  EngineHost& operator=(const EngineHost&) = delete;

  // Waits in a queue of ours while the ring is full. Returns the command's token, which events
  // about what it has started carry.
  std::uint64_t send(OwnedCommand command, OnAnswer on_answer);
  // Of the first lane.
  io::Ports& ports() { return *ports_.front(); }
  // Ends the threads; sockets are closed when the host goes. Idempotent.
  void stop();

 private:
  EngineHost(EventLoop& loop, OnEvent on_event) : loop_(loop), on_event_(std::move(on_event)) {}
  void drain();
  void send_waiting();

  EventLoop& loop_;
  OnEvent on_event_;
  std::vector<std::unique_ptr<io::Ports>> ports_;  // by lane
  io::MappedMemory memory_;
  std::unique_ptr<Engine> engine_;
  io::Doorbell bell_;
  std::unique_ptr<io::LaneGroup> threads_;

  std::uint64_t last_token_ = 0;
  std::map<std::uint64_t, OnAnswer> answers_;
  std::deque<OwnedCommand> waiting_;
};

}  // namespace starling::agent
