// The agent's member list at ten thousand to a million members: what the mirror costs, and what a
// `members` request costs while it is answered.
//
// members_apply_N: one event that changes a row of the mirror. members_list_N and
// members_filtered_N: one member of a request through an RpcSession, whose client takes 64 KiB at a
// time; the filter names an expression for the name, the status and a tag, which all match.
// Counters: `row_bytes`, the heap a member of the mirror takes, names and index included;
// `buffered_bytes`, the most that a session held for its client.
#include <malloc.h>

#include <memory>
#include <optional>

#include "agent/rpc_session.h"
#include "bench/counters.h"
#include "bench/samples.h"
#include "wire/base/check.h"

namespace starling::bench {
namespace {

using agent::Log;
using agent::LogLevel;
using agent::MembersMirror;
using agent::RpcBackend;
using agent::RpcSession;

constexpr std::size_t piece_bytes = 64 * 1024;

Event joined(std::string_view name, MemberStatus status) {
  using namespace std::string_view_literals;
  Event event;
  event.kind = Event::Kind::member;
  event.name = name;
  event.status = status;
  event.change = MemberEventKind::join;
  event.endpoint = {IpAddress::v4(10, 0, 0, 1), 7946};
  event.payload = as_bytes(
      "\xff\x82\xa4role\xa7gateway\xa2"sv
      "dc\xa4"sv
      "east"sv);
  return event;
}

std::size_t heap_bytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

struct Crowd {
  explicit Crowd(std::uint32_t members) : mirror(std::make_unique<MembersMirror>()) {
    for (std::uint32_t number = 0; number < members; ++number) {
      mirror->apply(joined(Sample(number).name(), MemberStatus::alive));
    }
  }
  std::unique_ptr<MembersMirror> mirror;
};

void members_apply(benchmark::State& state, std::uint32_t members) {
  const std::size_t before = heap_bytes();
  Crowd crowd(members);
  state.counters["row_bytes"] = static_cast<double>(heap_bytes() - before) / members;
  constexpr std::size_t batch = 1024;
  std::vector<std::string> names;
  for (const std::uint32_t number : shuffled(members)) {
    if (names.size() < 64 * batch) names.emplace_back(Sample(number).name());
  }
  std::size_t at = 0;
  bool failed = false;
  Meter meter(state, batch);
  for (auto _ : state) {
    for (std::size_t i = 0; i < batch; ++i, at = (at + 1) % names.size()) {
      if (at == 0) failed = !failed;
      crowd.mirror->apply(joined(names[at], failed ? MemberStatus::failed : MemberStatus::alive));
    }
  }
}

// Asks, and takes the answer in pieces; the most that waited.
std::size_t take_list(RpcSession& session, const std::string& request) {
  session.receive(request);
  std::size_t most = 0;
  while (!session.output().empty()) {
    most = std::max(most, session.output().size());
    benchmark::DoNotOptimize(session.output().data());
    session.sent(std::min(piece_bytes, session.output().size()));
  }
  CHECK(!session.busy());
  return most;
}

void members_request(benchmark::State& state, std::uint32_t members, const std::string& request) {
  Crowd crowd(members);
  Log log(LogLevel::err, [](std::string_view) {});
  RpcBackend backend;
  backend.log = &log;
  backend.members = crowd.mirror.get();
  const auto session = std::make_shared<RpcSession>(backend, "client", [] {});
  std::string greeting;
  append(greeting, agent::RequestHeader{.command = "handshake", .sequence = 1});
  append(greeting, agent::HandshakeRequest{.version = 1});
  take_list(*session, greeting);
  std::size_t most = 0;
  Meter meter(state, members);
  for (auto _ : state) most = std::max(most, take_list(*session, request));
  state.counters["buffered_bytes"] = static_cast<double>(most);
}

void members_list(benchmark::State& state, std::uint32_t members) {
  std::string request;
  append(request, agent::RequestHeader{.command = "members", .sequence = 2});
  members_request(state, members, request);
}

void members_filtered(benchmark::State& state, std::uint32_t members) {
  std::string request;
  append(request, agent::RequestHeader{.command = "members-filtered", .sequence = 2});
  append(request, agent::MembersFilteredRequest{
                      .name = ".*", .status = "alive", .tags = {{"role", "gate.*"}}});
  members_request(state, members, request);
}

[[maybe_unused]] const bool registered = [] {
  for (const std::uint32_t members : {10'000U, 100'000U, 1'000'000U}) {
    const auto add = [&](const std::string& name, auto run) {
      benchmark::RegisterBenchmark((name + "_" + std::to_string(members)).c_str(),
                                   [=](benchmark::State& state) { run(state, members); })
          ->Unit(benchmark::kMillisecond);
    };
    add("members_apply", members_apply);
    add("members_list", members_list);
    add("members_filtered", members_filtered);
  }
  return true;
}();

}  // namespace
}  // namespace starling::bench
