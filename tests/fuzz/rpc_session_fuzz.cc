// What an RPC client may send: whatever it is and however it is cut, the session ends in the same
// state and gives the same answers, which are whole msgpack values; nothing but those goes out. The
// first byte chooses the cuts, the second whether a token is wanted. Half-way events come, so that
// streams have something to show and there is a query to respond to.
#include <memory>
#include <string>

#include "agent/rpc_session.h"
#include "tests/fuzz/fuzz.h"

namespace starling {
namespace {

using agent::Log;
using agent::LogLevel;
using agent::MembersMirror;
using agent::RpcBackend;
using agent::RpcSession;

struct Bench {
  MembersMirror members;
  Log log{LogLevel::err, [](std::string_view) {}};
  RpcBackend backend;
  explicit Bench(bool with_token) {
    if (with_token) backend.auth_token = "t";
    backend.log = &log;
    backend.members = &members;
    const auto answer = [](const auto&, const RpcBackend::Done& done) { done(""); };
    backend.event = answer;
    backend.force_leave = answer;
    backend.tags = answer;
    backend.join = [](const agent::JoinRequest& request, const auto& done) {
      done(request.existing.size(), "");
    };
    backend.host_member = answer;
    backend.unhost_member = answer;
    backend.member_tags = answer;
    backend.hosts = [](std::string_view) { return true; };
    backend.stats = [](const auto& done) { done(agent::Stats{}); };
    backend.coordinate = [](const auto& request, const auto& done) {
      done(request.node.empty() ? std::nullopt : std::optional(Coordinate{}));
    };
    backend.query = [](const auto&, const agent::QueryCallbacks& callbacks, const auto& done) {
      done("");
      callbacks.on_ack("a");
      callbacks.on_response("a", "b");
      callbacks.on_done();
      return agent::QueryTicket{1};
    };
    backend.forget_query = [](agent::QueryTicket) {};
    backend.respond = [](std::uint64_t, const std::string&, const RpcBackend::Done& done) {
      done("");
    };
    backend.change_keys = [](agent::KeyChange, const std::string&,
                             const RpcBackend::KeysDone& done) { done({}, "no"); };
    backend.list_keys = [](const RpcBackend::KeysDone& done) {
      done({.keys = std::map<std::string, std::uint64_t>{{"k", 1}}}, "");
    };
    backend.leave = [](const RpcBackend::Done& done) { done(""); };
  }
};

struct ExchangeOutcome {
  std::string answers;
  bool closing = false;
  bool operator==(const ExchangeOutcome&) const = default;
};

// Log records carry the time of day, so the log stays silent: only what the session answers counts.
void publish_all(RpcSession& session) {
  agent::HandlerEvent event;
  event.kind = agent::HandlerEvent::Kind::user;
  event.name = "deploy";
  event.payload = "v1";
  session.publish(event, true);
  event.kind = agent::HandlerEvent::Kind::query;
  event.query = 7;
  event.deadline = Instant::max();
  session.publish(event, false);
  event.kind = agent::HandlerEvent::Kind::member;
  session.publish(event, false);
}

ExchangeOutcome talk(Bytes input, bool with_token, std::uint8_t cuts, bool whole) {
  Bench bench(with_token);
  const auto session = std::make_shared<RpcSession>(bench.backend, "peer", [] {});
  fuzz::ChunkSizes sizes(cuts);
  ExchangeOutcome outcome;
  std::size_t until_events = input.size() / 2;
  while (!input.empty() && !session->closing()) {
    const std::size_t left = until_events > 0 ? until_events : input.size();
    const std::size_t count = whole ? left : std::min(sizes.next(), left);
    session->receive(as_text(input.first(count)));
    input = input.subspan(count);
    const std::string output(session->output());
    session->sent(output.size());
    outcome.answers += output;
    if (until_events == 0) continue;
    until_events -= count;
    if (until_events > 0 || session->closing()) continue;
    publish_all(*session);
    outcome.answers += session->output();
    session->sent(session->output().size());
  }
  outcome.closing = session->closing();
  return outcome;
}

void check_rpc_session(Bytes input) {
  const std::uint8_t cuts = fuzz::take_byte(input);
  const bool with_token = (fuzz::take_byte(input) & 1) != 0;
  const ExchangeOutcome whole = talk(input, with_token, cuts, true);
  const ExchangeOutcome pieces = talk(input, with_token, cuts, false);
  CHECK(whole.closing == pieces.closing);
  // A monitor shows what was logged, and when: its records are not compared.
  if (whole.answers.find("\xa3Log") == std::string::npos) CHECK(whole.answers == pieces.answers);
  Bytes left = as_bytes(whole.answers);
  while (!left.empty()) {
    ValueScanner scanner;
    const auto taken = scanner.scan(left);
    CHECK(taken && scanner.complete());
    left = left.subspan(*taken);
  }
}

}  // namespace
}  // namespace starling

FUZZ_TARGET(starling::check_rpc_session)
