#include "sim/process.h"

#include <sys/mman.h>

#include "wire/base/check.h"

namespace starling::sim {

Process::Process(const EngineOptions& options, Instant start) {
  CHECK(!problem_with(options).has_value());
  const std::size_t bytes = Engine::footprint(options);
  void* const pages =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(pages != MAP_FAILED);
  memory_ = {static_cast<std::byte*>(pages), Unmap{bytes}};
  std::expected<Engine, std::string> engine =
      Engine::create(options, {memory_.get(), bytes}, start);
  CHECK(engine.has_value());
  engine_.emplace(std::move(*engine));
}

void Process::Unmap::operator()(std::byte* memory) const {
  munmap(memory, bytes);
}

}  // namespace starling::sim
