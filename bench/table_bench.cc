// The member table at a million members, against memberlist's map of pointers.
#include <cstring>
#include <memory>

#include "bench/counters.h"
#include "bench/samples.h"
#include "core/base/arena.h"
#include "core/base/rng.h"
#include "core/swim/member_table.h"
#include "io/mapped_memory.h"
#include "wire/base/check.h"

namespace starling::bench {
namespace {

constexpr std::uint32_t members = 1'000'000;
constexpr std::size_t slab_bytes = std::size_t{members} * 64;

// A table on memory that has been touched before.
class Table {
 public:
  Table() {
    const std::size_t bytes = MemberTable::footprint(members, slab_bytes) + cache_line_bytes;
    auto memory = io::MappedMemory::map({.bytes = bytes, .huge_pages = true});
    CHECK(memory.has_value());
    memory_ = std::move(*memory);
    std::memset(memory_.bytes().data(), 0, memory_.bytes().size());
    Arena arena(memory_.bytes());
    table_ = std::make_unique<MemberTable>(arena, members, slab_bytes);
  }
  MemberTable& operator*() { return *table_; }

 private:
  io::MappedMemory memory_;
  std::unique_ptr<MemberTable> table_;
};

std::vector<std::string> names_in_order(std::span<const std::uint32_t> numbers) {
  std::vector<std::string> names;
  names.reserve(numbers.size());
  for (const std::uint32_t number : numbers) names.emplace_back(Sample(number).name());
  return names;
}

void insert_all(MemberTable& table, std::span<const std::string> names) {
  for (const std::string& name : names) CHECK(table.insert(hash_name(name), name).has_value());
}

void table_insert_1000000(benchmark::State& state) {
  const std::vector<std::string> names = names_in_order(shuffled(members));
  PartMeter meter(state, members);
  for (auto _ : state) {
    Table table;
    meter.begin();
    insert_all(*table, names);
    meter.end();
  }
}

constexpr std::size_t finds_per_iteration = 1024;

// Names are asked for in another order than they came in.
struct Lookups {
  Table table;
  std::vector<std::string> names;
  std::size_t at = 0;

  Lookups() {
    std::vector<std::uint32_t> numbers = shuffled(members);
    insert_all(*table, names_in_order(numbers));
    Rng(11).shuffle(std::span(numbers));
    names = names_in_order(numbers);
  }
  std::span<const std::string> next(std::size_t count) {
    if (at + count > names.size()) at = 0;
    const std::span<const std::string> taken = std::span(names).subspan(at, count);
    at += count;
    return taken;
  }
};

void table_find_1000000(benchmark::State& state) {
  Lookups lookups;
  const MemberTable& table = *lookups.table;
  const Meter meter(state, finds_per_iteration);
  for (auto _ : state) {
    for (const std::string& name : lookups.next(finds_per_iteration)) {
      const std::optional<Slot> slot = table.find(hash_name(name), name);
      CHECK(slot.has_value());
      benchmark::DoNotOptimize(table.state(*slot));
    }
  }
}

void table_find_batched(benchmark::State& state) {
  constexpr std::size_t batch = 16;
  Lookups lookups;
  const MemberTable& table = *lookups.table;
  const Meter meter(state, finds_per_iteration);
  for (auto _ : state) {
    for (std::size_t done = 0; done < finds_per_iteration; done += batch) {
      const std::span<const std::string> names = lookups.next(batch);
      std::array<NameHash, batch> hashes;
      for (std::size_t i = 0; i < batch; ++i) {
        hashes[i] = hash_name(names[i]);
        table.prefetch(hashes[i]);
      }
      for (const NameHash hash : hashes) table.prefetch_name(hash);
      for (std::size_t i = 0; i < batch; ++i) {
        const std::optional<Slot> slot = table.find(hashes[i], names[i]);
        CHECK(slot.has_value());
        benchmark::DoNotOptimize(table.state(*slot));
      }
    }
  }
}

BENCHMARK(table_insert_1000000)->UseManualTime()->Iterations(2);
BENCHMARK(table_find_1000000);
BENCHMARK(table_find_batched)->Name("table_find_1000000/batched");

}  // namespace
}  // namespace starling::bench
