// What every benchmark reports beside its time: the work items, and heap allocations per item.
//
// Linking counters.cc puts a counter in front of malloc and its relatives, so that allocations are
// seen wherever they come from: operator new, libraries, this code. The count is per thread.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>

namespace starling::bench {

// Allocations of this thread since the program started.
std::uint64_t allocations();
// CPU time of this thread, in nanoseconds.
std::int64_t cpu_nanoseconds();

// Brackets the loop of a benchmark whose iterations can follow each other without preparation.
//   Meter meter(state, 20); for (auto _ : state) work();
class Meter {
 public:
  // `items` are done by one iteration.
  Meter(benchmark::State& state, std::size_t items)
      : state_(state), items_(items), before_(allocations()) {}
  ~Meter();
  Meter(const Meter&) = delete;
  Meter& operator=(const Meter&) = delete;

 private:
  benchmark::State& state_;
  std::size_t items_;
  std::uint64_t before_;
};

// Times only a part of each iteration (UseManualTime): what stands before begin() and after end()
// is preparation.
class PartMeter {
 public:
  PartMeter(benchmark::State& state, std::size_t items) : state_(state), items_(items) {}
  ~PartMeter();
  PartMeter(const PartMeter&) = delete;
  PartMeter& operator=(const PartMeter&) = delete;

  void begin() {
    allocations_before_ = allocations();
    began_ = cpu_nanoseconds();
  }
  void end() {
    const std::int64_t took = cpu_nanoseconds() - began_;
    allocations_ += allocations() - allocations_before_;
    state_.SetIterationTime(static_cast<double>(took) * 1e-9);
  }

 private:
  benchmark::State& state_;
  std::size_t items_;
  std::uint64_t allocations_ = 0;
  std::uint64_t allocations_before_ = 0;
  std::int64_t began_ = 0;
};

}  // namespace starling::bench
