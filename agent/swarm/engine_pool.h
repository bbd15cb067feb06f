// EnginePool: the engines of a swarm and the threads that turn them.
//
// Engine i belongs to thread i mod T and never moves. A thread turns its engines one after the
// other and then rests until a millisecond has passed since it began, unless there is more to do:
// work comes in bursts that way, which saves turns, and adds at most that much to a round trip.
// Owned and driven by one thread, the director's.
#pragma once

#include <atomic>
#include <thread>

#include "agent/swarm/cut_ports.h"
#include "agent/swarm/engine_plan.h"
#include "agent/swarm/swarm_engine.h"

namespace starling::agent::swarm {

class EnginePool {
 public:
  static constexpr Duration rest = std::chrono::milliseconds(1);

  // Opens all ports and makes all engines; the error says which one could not be, and why.
  // `population` must outlive the pool.
  static std::expected<std::unique_ptr<EnginePool>, std::string> create(
      const SwarmOptions& options, const SwimOptions& swim, const SerfOptions& serf,
      unsigned threads, const Population& population);
  ~EnginePool() { stop(); }
  EnginePool(const EnginePool&) = delete;
  EnginePool& operator=(const EnginePool&) = delete;

  // The error says that the system has no thread for us.
  std::optional<std::string> start();
  // Returns when all threads have ended.
  void stop();

  std::uint32_t size() const { return static_cast<std::uint32_t>(engines_.size()); }
  SwarmEngine& at(std::uint32_t index) { return *engines_[index]; }
  Cuts& cuts() { return cuts_; }
  // "memory", "rings", "io_uring", "sockets".
  const std::string& port_name() const { return port_name_; }

 private:
  EnginePool() = default;
  void run(unsigned number);

  Cuts cuts_;
  std::string port_name_;
  unsigned thread_count_ = 1;
  std::vector<std::unique_ptr<SwarmEngine>> engines_;
  std::atomic<bool> stop_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace starling::agent::swarm
