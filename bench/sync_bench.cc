// Two tables of a million members made equal: bytes, messages, round trips and computing time.
//
// Half of the differing rows are newer at the initiator, half at the responder. `names`: 1 plain
// names that share most of their letters, 0 names that share nothing. Time is that of both sides
// together, without a network.
#include "bench/counters.h"
#include "tests/support/sync_link.h"
#include "wire/push_pull.h"

namespace starling::bench {
namespace {

constexpr std::uint32_t members = 1'000'000;

struct Pair {
  test::MemberBag initiator;
  test::MemberBag responder;
  std::uint32_t next_incarnation = 10;

  Pair(bool plain_names, std::uint32_t cells)
      : initiator({.cells = cells}), responder({.cells = cells}) {
    std::string name;
    for (test::MemberBag* bag : {&initiator, &responder}) {
      bag->filling = true;
      for (std::uint32_t i = 0; i < members; ++i) {
        bag->put(test::made_up_record(i, plain_names, name));
      }
      bag->filling = false;
      bag->rebuild();
    }
  }
  void differ_in(std::uint32_t rows, bool plain_names) {
    std::string name;
    ++next_incarnation;
    for (std::uint32_t i = 0; i < rows; ++i) {
      const std::uint32_t number = static_cast<std::uint32_t>(std::uint64_t{i} * members / rows);
      MemberRecord record = test::made_up_record(number, plain_names, name);
      record.incarnation = Incarnation{next_incarnation};
      (i % 2 == 0 ? responder : initiator).put(record);
    }
  }
};

void sync_1000000(benchmark::State& state) {
  const auto rows = static_cast<std::uint32_t>(state.range(0));
  const bool plain_names = state.range(1) == 1;
  const auto cells = static_cast<std::uint32_t>(state.range(2));
  Pair pair(plain_names, cells);
  double bytes = 0, messages = 0, round_trips = 0, converged = 0, links = 0;
  for (auto _ : state) {
    pair.differ_in(rows, plain_names);
    test::SyncLink link(pair.initiator, pair.responder, {.cells_max = cells});
    const std::int64_t began = cpu_nanoseconds();
    const ExchangeOutcome& outcome = link.run();
    state.SetIterationTime(static_cast<double>(cpu_nanoseconds() - began) * 1e-9);
    bytes = static_cast<double>(link.bytes());
    messages = static_cast<double>(link.messages());
    round_trips = outcome.round_trips;
    links = static_cast<double>(link.took() / std::chrono::milliseconds(1)) / 2;
    converged = outcome.converged() ? 1 : 0;
  }
  state.counters["bytes"] = bytes;
  state.counters["messages"] = messages;
  state.counters["round_trips"] = round_trips;
  state.counters["link_round_trips"] = links;
  state.counters["converged"] = converged;
}

// memberlist sends the whole table both ways, whatever differs.
void full_push_pull_1000000(benchmark::State& state) {
  const bool plain_names = state.range(0) == 1;
  std::uint64_t bytes = 0;
  for (auto _ : state) {
    bytes = 0;
    std::array<std::byte, 1024> room;
    std::string name;
    const std::array<std::byte, 6> versions = encode_versions(Versions{});
    for (std::uint32_t i = 0; i < members; ++i) {
      const MemberRecord record = test::made_up_record(i, plain_names, name);
      Writer out(room);
      encode(NodeState{.name = record.name,
                       .address = record.endpoint.address.bytes(),
                       .port = record.endpoint.port,
                       .meta = record.meta,
                       .incarnation = record.incarnation,
                       .versions = versions},
             out);
      bytes += out.size();
    }
    Writer out(room);
    encode(PushPullHeader{.nodes = members}, out, SignedStyle::signed_form);
    bytes += out.size();
  }
  state.counters["bytes"] = 2 * static_cast<double>(bytes);
}

BENCHMARK(full_push_pull_1000000)->ArgName("names")->Arg(0)->Arg(1)->Iterations(1);
BENCHMARK(sync_1000000)
    ->ArgNames({"differing", "names", "cells"})
    ->ArgsProduct({{0, 1, 10, 100, 1000, 10'000, 100'000}, {0, 1}, {65'536}})
    ->ArgsProduct({{0, 1, 10, 100, 1000, 10'000}, {1}, {4096}})
    ->UseManualTime()
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace starling::bench
