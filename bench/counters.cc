#include "bench/counters.h"

#include <errno.h>
#include <time.h>

#include <cstdlib>

namespace {

thread_local std::uint64_t allocation_count = 0;

void report(benchmark::State& state, std::size_t items, std::uint64_t allocations) {
  const auto done = static_cast<std::int64_t>(items) * state.iterations();
  state.SetItemsProcessed(done);
  state.counters["allocations"] = static_cast<double>(allocations) / static_cast<double>(done);
}

}  // namespace

// glibc's own entry points; a program may define malloc itself and every library then uses it.
extern "C" {
void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* memory, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);

void* malloc(std::size_t bytes) noexcept {
  ++allocation_count;
  return __libc_malloc(bytes);
}
void* calloc(std::size_t count, std::size_t bytes) noexcept {
  ++allocation_count;
  return __libc_calloc(count, bytes);
}
void* realloc(void* memory, std::size_t bytes) noexcept {
  ++allocation_count;
  return __libc_realloc(memory, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) noexcept {
  ++allocation_count;
  return __libc_memalign(alignment, bytes);
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t bytes) noexcept {
  ++allocation_count;
  *memory = __libc_memalign(alignment, bytes);
  return *memory == nullptr ? ENOMEM : 0;
}
}

namespace starling::bench {

std::uint64_t allocations() {
  return allocation_count;
}

std::int64_t cpu_nanoseconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

Meter::~Meter() {
  report(state_, items_, allocations() - before_);
}

PartMeter::~PartMeter() {
  report(state_, items_, allocations_);
}

}  // namespace starling::bench
