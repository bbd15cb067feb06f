#include "agent/swarm/engine_pool.h"

#include <pthread.h>
#include <sched.h>

#include <system_error>

#include "io/clock.h"
#include "io/open.h"

namespace starling::agent::swarm {
namespace {

// A wish: a thread that may not be bound runs wherever the system likes.
void bind_to_core(std::thread& thread, unsigned number) {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  const auto cores = static_cast<unsigned>(CPU_COUNT(&allowed));
  if (cores == 0) return;
  unsigned wanted = number % cores;
  for (unsigned core = 0; core < CPU_SETSIZE; ++core) {
    if (!CPU_ISSET(core, &allowed) || wanted-- > 0) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    ::pthread_setaffinity_np(thread.native_handle(), sizeof one, &one);
    return;
  }
}

// What opens the ports of all engines; they keep what they share.
std::expected<io::PortOpener, std::string> port_opener(const SwarmOptions& options,
                                                       const io::PortOptions& each) {
  switch (options.port) {
    case SwarmPort::memory:
      return io::open_memory_network();
    case SwarmPort::rings:
      return io::open_ring_network(options.engines, each);
    case SwarmPort::uring:
    case SwarmPort::sockets:
      break;
  }
  return
      [](const io::PortOptions& wanted) -> std::expected<std::unique_ptr<io::Ports>, std::string> {
        auto opened = io::open_ports(wanted);
        if (!opened) return std::unexpected(std::move(opened.error()));
        return std::move(opened->ports);
      };
}

}  // namespace

std::expected<std::unique_ptr<EnginePool>, std::string> EnginePool::create(
    const SwarmOptions& options, const SwimOptions& swim, const SerfOptions& serf, unsigned threads,
    const Population& population) {
  std::unique_ptr<EnginePool> pool(new EnginePool);
  pool->thread_count_ = std::min(threads, options.engines);
  io::PortOpener opener;
  const Instant start = io::MonotonicClock::now();
  for (std::uint32_t index = 0; index < options.engines; ++index) {
    const auto fail = [&](const std::string& why) {
      return std::unexpected("engine " + std::to_string(index) + ": " + why);
    };
    const EngineOptions engine = engine_options(options, swim, serf, index);
    const io::PortOptions wanted = port_options(options, engine);
    if (!opener) {
      auto made = port_opener(options, wanted);
      if (!made) return std::unexpected(std::move(made.error()));
      opener = std::move(*made);
    }
    auto ports = opener(wanted);
    if (!ports) return fail(ports.error());
    pool->port_name_ = (*ports)->name();
    auto cut = std::make_unique<CutPorts>(
        std::move(*ports), pool->cuts_,
        CutPorts::Options{.engine = index, .seed = engine.seed ^ 0x6375'7473});
    auto made = SwarmEngine::create(engine, std::move(cut), population, index, start);
    if (!made) return fail(made.error());
    pool->engines_.push_back(std::move(*made));
  }
  return pool;
}

std::optional<std::string> EnginePool::start() {
  stop_.store(false, std::memory_order_relaxed);
  for (unsigned number = 0; number < thread_count_; ++number) {
    try {
      threads_.emplace_back([this, number] { run(number); });
    } catch (const std::system_error& error) {
      stop();
      return "thread " + std::to_string(number) + ": " + error.what();
    }
    ::pthread_setname_np(threads_.back().native_handle(), "swarm");
    bind_to_core(threads_.back(), number);
  }
  return std::nullopt;
}

void EnginePool::stop() {
  // Pairs with the load in run().
  stop_.store(true, std::memory_order_release);
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void EnginePool::run(unsigned number) {
  while (!stop_.load(std::memory_order_acquire)) {
    const Instant began = io::MonotonicClock::now();
    bool busy = false;
    for (std::uint32_t i = number; i < size(); i += thread_count_) {
      busy = engines_[i]->turn(io::MonotonicClock::now()).busy || busy;
    }
    if (busy) continue;
    const Duration left = rest - (io::MonotonicClock::now() - began);
    if (left > Duration::zero()) std::this_thread::sleep_for(left);
  }
}

}  // namespace starling::agent::swarm
