// Digests of a million members: made anew, and kept while rows change.
#include "bench/counters.h"
#include "core/base/rng.h"
#include "core/digest/digest_sum.h"
#include "tests/support/arena_block.h"

namespace starling::bench {
namespace {

constexpr std::uint32_t members = 1'000'000;

struct Table {
  test::ArenaBlock block;
  DigestTable digest;
  explicit Table(std::uint32_t cells)
      : block(DigestTable::footprint(cells) + cache_line_bytes),
        digest(block.arena(), DigestKey(), cells) {}
};

std::vector<Mark> marks_of(std::uint32_t count) {
  Rng rng(3);
  std::vector<Mark> marks(count);
  for (Mark& mark : marks) mark = {Symbol{rng.next()}, rng.next()};
  return marks;
}

// Few enough to stay in the cache: what fetching rows costs is the table's affair.
constexpr std::uint32_t rows_max = 1024;

struct Rows {
  std::vector<std::array<char, 16>> names;
  std::vector<MemberRecord> records;
  Rows(std::size_t name_bytes, Bytes meta) : names(rows_max), records(rows_max) {
    Rng rng(4);
    for (std::uint32_t i = 0; i < rows_max; ++i) {
      rng.fill(std::as_writable_bytes(std::span(names[i])));
      const std::string_view name(names[i].data(), name_bytes);
      records[i] = {.name = name,
                    .hash = hash_name(name),
                    .incarnation = Incarnation{i},
                    .endpoint = {IpAddress::v4(10, 0, 0, 1), 7946},
                    .meta = meta};
    }
  }
};

void digest_rebuild(benchmark::State& state) {
  const std::array<std::byte, 64> meta{};
  const Rows rows(static_cast<std::size_t>(state.range(0)),
                  Bytes(meta).first(static_cast<std::size_t>(state.range(1))));
  Table table(static_cast<std::uint32_t>(state.range(2)));
  const Meter meter(state, members);
  for (auto _ : state) {
    table.digest.clear();
    std::array<Mark, 64> marks;
    for (std::size_t i = 0; i < members; i += marks.size()) {
      for (std::size_t j = 0; j < marks.size(); ++j) {
        marks[j] = mark_of(table.digest.key(), rows.records[(i + j) % rows_max]);
      }
      table.digest.add_all(marks);
    }
    benchmark::DoNotOptimize(table.digest.root());
  }
}

// Only the hash of 32 bytes and the sums.
void digest_hash_32_bytes(benchmark::State& state) {
  const DigestKey key;
  Table table(0);
  std::vector<std::array<std::byte, 32>> rows(rows_max);
  Rng(5).fill(std::as_writable_bytes(std::span(rows)));
  const Meter meter(state, members);
  for (auto _ : state) {
    table.digest.clear();
    std::array<Mark, 64> marks;
    for (std::size_t i = 0; i < members; i += marks.size()) {
      for (std::size_t j = 0; j < marks.size(); ++j) {
        const XXH128_hash_t hash = XXH3_128bits_withSecret(
            rows[(i + j) % rows_max].data(), 32, key.secret().data(), key.secret().size());
        marks[j] = {Symbol{hash.high64}, hash.low64};
      }
      table.digest.add_all(marks);
    }
    benchmark::DoNotOptimize(table.digest.root());
  }
}

void digest_replace(benchmark::State& state) {
  Table table(static_cast<std::uint32_t>(state.range(0)));
  const std::vector<Mark> marks = marks_of(members);
  table.digest.add_all(marks);
  const std::vector<Mark> news = marks_of(members);
  std::size_t at = 0;
  Mark before = marks[0];
  const Meter meter(state, 1);
  for (auto _ : state) {
    at = at + 1 < members ? at + 1 : 0;
    table.digest.replace(before, news[at]);
    before = news[at];
  }
}

void digest_mark(benchmark::State& state) {
  const Rows rows(16, {});
  const DigestKey key;
  std::size_t at = 0;
  const Meter meter(state, 1);
  for (auto _ : state) {
    at = (at + 1) % rows_max;
    benchmark::DoNotOptimize(mark_of(key, rows.records[at]));
  }
}

void digest_fold_512(benchmark::State& state) {
  Table table(0);
  const std::array<const DigestTable*, 1> tables{&table.digest};
  const DigestSum sum(tables);
  std::array<std::uint8_t, 512> sums;
  const Meter meter(state, 1);
  for (auto _ : state) {
    sum.fold(9, 0, 0, sums);
    benchmark::DoNotOptimize(sums);
  }
}

BENCHMARK(digest_rebuild)
    ->ArgNames({"name", "meta", "cells"})
    ->Args({4, 0, 0})
    ->Args({16, 0, 0})
    ->Args({16, 32, 0})
    ->Args({16, 0, 4096})
    ->Args({16, 0, 65'536})
    ->Unit(benchmark::kMillisecond);
BENCHMARK(digest_hash_32_bytes)->Unit(benchmark::kMillisecond);
BENCHMARK(digest_mark);
BENCHMARK(digest_replace)->ArgName("cells")->Arg(0)->Arg(4096)->Arg(65'536);
BENCHMARK(digest_fold_512);

}  // namespace
}  // namespace starling::bench
