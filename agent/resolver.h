// Resolves join targets on a thread of its own, so that a slow name server stops nobody.
//
// Owned by the agent; resolve() is for the control thread, where the answers arrive as well, in
// order. The thread starts with the first target. A lookup that is still
// running when the Resolver goes is abandoned, and its thread with it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "agent/addresses.h"
#include "agent/event_loop.h"

namespace starling::agent {

class Resolver {
 public:
  using Answer = std::expected<JoinTarget, std::string>;

  explicit Resolver(EventLoop& loop);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // `on_answer` is called later, never from within this call.
  void resolve(std::string text, std::uint16_t default_port,
               std::function<void(const Answer&)> on_answer);

 private:
  struct Shared;
  static void work(const std::shared_ptr<Shared>& shared);

  std::shared_ptr<Shared> shared_;
};

}  // namespace starling::agent
