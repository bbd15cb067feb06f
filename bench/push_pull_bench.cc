// Push/pull states, alone and merged into an engine, as time per node. Names as in peers/codec.
//
// The merges go through Lane::on_stream, in pieces of 64 KiB, all but the last byte of the state:
// the answer, which carries our own state, would follow it and is no part of this.
#include "bench/bench_node.h"
#include "bench/counters.h"
#include "bench/samples.h"
#include "wire/base/check.h"

namespace starling::bench {
namespace {

void encode_per_node(benchmark::State& state) {
  const auto nodes = static_cast<std::uint32_t>(state.range(0));
  std::vector<Sample> members;
  for (std::uint32_t i = 0; i < nodes; ++i) members.emplace_back(i);
  ByteVector room(push_pull_of(0, nodes).size());
  const Meter meter(state, nodes);
  for (auto _ : state) {
    Writer out(room);
    encode(PushPullHeader{.nodes = nodes}, out, SignedStyle::signed_form);
    for (const Sample& member : members) encode(member.state(), out);
    CHECK(out.ok());
    benchmark::ClobberMemory();
  }
}

struct CountNodes {
  std::uint32_t nodes = 0;
  bool on_header(const PushPullHeader&) { return true; }
  bool on_node(const NodeState& node) {
    benchmark::DoNotOptimize(node);
    ++nodes;
    return true;
  }
  bool on_user_state(Bytes) { return true; }
};

void decode_per_node(benchmark::State& state) {
  const auto nodes = static_cast<std::uint32_t>(state.range(0));
  const ByteVector stream = push_pull_of(0, nodes);
  const PushPullLimits limits;
  std::vector<std::byte> carry(limits.item_bytes_max);
  const Meter meter(state, nodes);
  for (auto _ : state) {
    PushPullReader reader(limits, carry);
    CountNodes sink;
    CHECK(reader.feed(Bytes(stream).subspan(1), sink).has_value());
    CHECK(sink.nodes == nodes);
  }
}

// A state as it is fed to a node.
struct State {
  std::uint32_t nodes;
  ByteVector stream;

  explicit State(std::int64_t count)
      : nodes(static_cast<std::uint32_t>(count)), stream(push_pull_of(0, nodes)) {}
  Bytes all_but_the_last_byte() const { return Bytes(stream).first(stream.size() - 1); }
  std::uint32_t merged() const { return nodes - 1; }
};

void decode_and_merge_new_per_node(benchmark::State& state) {
  const State remote(state.range(0));
  BenchNode node({.members_max = 2 * remote.nodes});
  node.accept_stream();
  node.feed_stream(remote.all_but_the_last_byte());
  PartMeter meter(state, remote.merged());
  for (auto _ : state) {
    node.restart();
    node.drain_events();
    node.accept_stream();
    meter.begin();
    node.feed_stream(remote.all_but_the_last_byte());
    meter.end();
    node.reset_stream();
    CHECK(node.stats().nodes == remote.merged() + 1);
  }
}

void decode_and_merge_known_per_node(benchmark::State& state) {
  const State remote(state.range(0));
  BenchNode node({.members_max = 2 * remote.nodes});
  const auto merge = [&] { node.feed_stream(remote.all_but_the_last_byte()); };
  node.accept_stream();
  merge();
  PartMeter meter(state, remote.merged());
  for (auto _ : state) {
    node.reset_stream();
    node.drain_events();
    node.accept_stream();
    meter.begin();
    merge();
    meter.end();
  }
  CHECK(node.stats().nodes == remote.merged() + 1);
}

void named(const char* what, void (*function)(benchmark::State&), bool manual) {
  for (const std::int64_t nodes : {1000, 100'000}) {
    const std::string name = "push_pull_" + std::to_string(nodes) + "_" + what;
    auto* benchmark = benchmark::RegisterBenchmark(name.c_str(), function)->Arg(nodes);
    if (manual) benchmark->UseManualTime();
    // Preparing a merge takes longer than the merge: bound how often it is done.
    if (manual) benchmark->Iterations(nodes == 1000 ? 50 : 5);
  }
}

const bool registered = [] {
  named("encode_per_node", encode_per_node, false);
  named("decode_per_node", decode_per_node, false);
  named("decode_and_merge_new_per_node", decode_and_merge_new_per_node, true);
  named("decode_and_merge_known_per_node", decode_and_merge_known_per_node, true);
  return true;
}();

}  // namespace
}  // namespace starling::bench
