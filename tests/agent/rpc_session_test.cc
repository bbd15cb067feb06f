#include "agent/rpc_session.h"

#include <fstream>
#include <set>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "agent/event_loop.h"
#include "agent/members_decoder.h"
#include "tests/agent/cli/replay.h"
#include "tests/agent/member_event.h"

namespace starling::agent {
namespace {

using cli::from_hex;

// A session with an agent made of lambdas; requests that the agent would do later wait in
// `pending`.
struct RpcSessionFixture {
  MembersMirror members;
  Log log{LogLevel::err, [](std::string_view) {}};
  RpcBackend backend;
  std::vector<std::string> asked;
  std::vector<std::function<void()>> pending;
  std::vector<QueryCallbacks> queries;
  std::shared_ptr<RpcSession> session;

  RpcSessionFixture() {
    backend.log = &log;
    backend.members = &members;
    backend.event = [this](const EventRequest& request, RpcBackend::Done done) {
      asked.push_back("event " + request.name);
      done("");
    };
    backend.force_leave = [this](const ForceLeaveRequest& request, RpcBackend::Done done) {
      asked.push_back("force-leave " + request.node);
      done("");
    };
    backend.join = [this](const JoinRequest& request, auto done) {
      asked.push_back("join " + std::to_string(request.existing.size()));
      pending.push_back([done, count = request.existing.size()] { done(count, ""); });
    };
    backend.host_member = [this](const HostMemberRequest& request, const RpcBackend::Done& done) {
      asked.push_back("host-member " + request.name + " at " + request.advertise);
      done("");
    };
    backend.unhost_member = [this](const UnhostMemberRequest& request, RpcBackend::Done done) {
      asked.push_back("unhost-member " + request.name);
      pending.push_back([done] { done("not today"); });
    };
    backend.member_tags = [this](const MemberTagsRequest& request, const RpcBackend::Done& done) {
      asked.push_back("member-tags " + request.member);
      done("");
    };
    backend.hosts = [](std::string_view name) { return name.ends_with('7'); };
    backend.stats = [](const std::function<void(const Stats&)>& done) {
      done({{"agent", {{"name", "x"}}}});
    };
    backend.coordinate = [](const CoordinateRequest& request,
                            const RpcBackend::CoordinateDone& done) {
      done(request.node == "known" ? std::optional(Coordinate{}) : std::nullopt);
    };
    backend.explain = [](const ExplainRequest& request, const RpcBackend::ExplainDone& done) {
      if (request.node != "known") return done({}, "no such member");
      done({{"member", {{"name", request.node}}}}, "");
    };
    backend.query = [this](const QueryRequest& request, QueryCallbacks callbacks,
                           const RpcBackend::Done& done) {
      asked.push_back("query " + request.name);
      queries.push_back(std::move(callbacks));
      done(request.name == "refused" ? "no" : "");
      return QueryTicket{queries.size()};
    };
    backend.forget_query = [this](QueryTicket ticket) {
      asked.push_back("forget " + std::to_string(ticket));
    };
    backend.respond = [this](std::uint64_t query, const std::string& payload,
                             const RpcBackend::Done& done) {
      asked.push_back("respond " + std::to_string(query) + " " + payload);
      done("");
    };
    open();
  }
  void open() {
    session = std::make_shared<RpcSession>(backend, "peer", [] {});
  }
  std::string take() {
    std::string out(session->output());
    session->sent(out.size());
    return out;
  }
  std::string ask(std::string_view bytes) {
    session->receive(bytes);
    return take();
  }
  void greet() {
    std::string bytes;
    append(bytes, RequestHeader{.command = "handshake", .sequence = 0});
    append(bytes, HandshakeRequest{.version = 1});
    ask(bytes);
  }
  template <class Body>
  std::string request(std::string command, const Body& body, std::uint64_t sequence = 9) {
    std::string bytes;
    append(bytes, RequestHeader{.command = std::move(command), .sequence = sequence});
    append(bytes, body);
    return ask(bytes);
  }
};

std::string header(std::string_view error, std::uint64_t sequence) {
  std::string out;
  append(out, ResponseHeader{.error = std::string(error), .sequence = sequence});
  return out;
}

// Raw conversations with a real agent whose answers do not depend on its members.
TEST(RpcSession, RecordedConversations) {
  std::ifstream file(STARLING_SOURCE_DIR "/tests/vectors/serf-rpc.json");
  const nlohmann::json all = nlohmann::json::parse(file);
  int played = 0;
  for (const nlohmann::json& exchange : all["exchanges"]) {
    const std::string name = exchange["name"];
    bool usable = false;
    for (const char* wanted :
         {"raw:no_handshake", "raw:bad_version_2", "raw:bad_version_0", "raw:bad_version_then_cmd",
          "raw:dup_handshake", "raw:unsupported", "raw:auth_not_configured_empty",
          "raw:garbage_header", "raw:bad_body_type", "raw:members_filtered_bad_regex",
          "raw:event_empty_name"}) {
      usable |= name == wanted;
    }
    if (!usable) continue;
    ++played;
    RpcSessionFixture f;
    for (const nlohmann::json& step : exchange["steps"]) {
      const std::string bytes = from_hex(step["hex"]);
      if (step["dir"] == "client->server") {
        f.session->receive(bytes);
      } else {
        EXPECT_EQ(f.take(), bytes) << name;
        const bool closed = step.value("connection_closed_by_server", false);
        EXPECT_EQ(f.session->closing(), closed) << name;
      }
    }
  }
  EXPECT_EQ(played, 11);
}

// The outcome of a change of keys follows beside an error, too.
TEST(RpcSession, KeysOfTheCluster) {
  RpcSessionFixture f;
  std::string changed;
  f.backend.change_keys = [&](KeyChange change, const std::string& key,
                              const RpcBackend::KeysDone& done) {
    changed += std::string(to_text(change)) + " " + key + ";";
    done({.messages = {{"a", "no"}}, .num_err = 1, .num_nodes = 2, .num_resp = 2},
         "1/2 nodes reported failure");
  };
  f.backend.list_keys = [](const RpcBackend::KeysDone& done) {
    done({.keys = std::map<std::string, std::uint64_t>{{"k", 2}}, .num_nodes = 2, .num_resp = 2},
         "");
  };
  f.greet();
  std::uint64_t sequence = 5;
  for (const KeyChange change : key_changes) {
    std::string request, answer = header("1/2 nodes reported failure", ++sequence);
    append(request, RequestHeader{.command = std::string(to_text(change)), .sequence = sequence});
    append(request, KeyRequestBody{"MTIz"});
    append(answer,
           KeyOutcome{.messages = {{"a", "no"}}, .num_err = 1, .num_nodes = 2, .num_resp = 2});
    EXPECT_EQ(f.ask(request), answer);
  }
  EXPECT_EQ(changed, "install-key MTIz;use-key MTIz;remove-key MTIz;");
  std::string request, answer = header("", 9);
  append(request, RequestHeader{.command = "list-keys", .sequence = 9});
  append(answer, KeyOutcome{.keys = std::map<std::string, std::uint64_t>{{"k", 2}},
                            .num_nodes = 2,
                            .num_resp = 2});
  EXPECT_EQ(f.ask(request), answer);
}

// The same bytes one at a time give the same answers.
TEST(RpcSession, HalfRequestsWait) {
  RpcSessionFixture f;
  std::string bytes;
  append(bytes, RequestHeader{.command = "handshake", .sequence = 1});
  append(bytes, HandshakeRequest{.version = 1});
  append(bytes, RequestHeader{.command = "event", .sequence = 2});
  append(bytes, EventRequest{.name = "x", .payload = "y", .coalesce = false});
  std::string answers;
  for (const char byte : bytes) answers += f.ask({&byte, 1});
  EXPECT_EQ(answers, header("", 1) + header("", 2));
  EXPECT_EQ(f.asked, std::vector<std::string>{"event x"});
}

TEST(RpcSession, CoordinatesAreThereOrNot) {
  RpcSessionFixture f;
  f.greet();
  std::string known, unknown;
  append_coordinate(known, Coordinate{});
  append_coordinate(unknown, std::nullopt);
  EXPECT_EQ(f.request("get-coordinate", CoordinateRequest{.node = "known"}), header("", 9) + known);
  EXPECT_EQ(f.request("get-coordinate", CoordinateRequest{.node = "x"}), header("", 9) + unknown);
}

TEST(RpcSession, ExplainsAMemberOrSaysWhyNot) {
  RpcSessionFixture f;
  f.greet();
  std::string known, unknown;
  append_stats(known, {{"member", {{"name", "known"}}}});
  append_stats(unknown, {});
  EXPECT_EQ(f.request("explain", ExplainRequest{.node = "known"}), header("", 9) + known);
  EXPECT_EQ(f.request("explain", ExplainRequest{.node = "x"}),
            header("no such member", 9) + unknown);
}

TEST(RpcSession, HeaderFieldsPersist) {
  RpcSessionFixture f;
  f.greet();
  std::string bytes;
  append(bytes, RequestHeader{.command = "members", .sequence = 77});
  const std::string first = f.ask(bytes);
  EXPECT_EQ(f.ask("\x81\xa5"
                  "Extra\x01"),
            first);
  EXPECT_EQ(f.ask("\x81\xa3"
                  "Seq\x4e"),
            header("", 78) + first.substr(header("", 77).size()));
}

TEST(RpcSession, RequestsWaitForThePendingOne) {
  RpcSessionFixture f;
  f.greet();
  EXPECT_EQ(f.request("join", JoinRequest{.existing = {"a"}, .replay = false}, 1), "");
  EXPECT_TRUE(f.session->busy());
  EXPECT_EQ(f.request("event", EventRequest{.name = "e", .payload = {}, .coalesce = false}, 2), "");
  EXPECT_EQ(f.asked, std::vector<std::string>{"join 1"});
  f.pending.at(0)();
  std::string expected = header("", 1);
  append_join_count(expected, 1);
  EXPECT_EQ(f.take(), expected + header("", 2));
  EXPECT_EQ(f.asked.back(), "event e");
}

TEST(RpcSession, ClientMayGoBeforeItsAnswer) {
  RpcSessionFixture f;
  f.greet();
  f.request("join", JoinRequest{.existing = {"a"}, .replay = false});
  f.session.reset();
  f.pending.at(0)();
}

// A refused request's body is read as a header: two answers, as from a real agent.
TEST(RpcSession, Authentication) {
  RpcSessionFixture f;
  f.backend.auth_token = "secret";
  f.greet();
  const std::string refused = header("Authentication required", 9);
  EXPECT_EQ(f.request("event", EventRequest{.name = "e", .payload = {}, .coalesce = false}),
            refused + refused);
  EXPECT_EQ(f.request("auth", AuthRequest{.key = "wrong"}),
            header("Invalid authentication token", 9));
  EXPECT_EQ(f.request("auth", AuthRequest{.key = "secret"}), header("", 9));
  EXPECT_EQ(f.request("event", EventRequest{.name = "e", .payload = {}, .coalesce = false}),
            header("", 9));
}

TEST(RpcSession, Streams) {
  RpcSessionFixture f;
  f.greet();
  EXPECT_EQ(f.request("stream", StreamRequest{.type = "nonsense"}),
            header("Invalid event filter", 9));
  EXPECT_EQ(f.request("stream", StreamRequest{.type = "user:deploy,member-join"}), header("", 9));
  EXPECT_EQ(f.request("stream", StreamRequest{.type = "*"}),
            header("Stream with given sequence exists", 9));
  HandlerEvent event;
  event.kind = HandlerEvent::Kind::user;
  event.name = "deploy";
  event.time = LamportTime{5};
  event.payload = "v9";
  f.session->publish(event, true);
  std::string expected = header("", 9);
  append(expected, UserEventRecord{.time = 5, .name = "deploy", .payload = "v9", .coalesce = true});
  EXPECT_EQ(f.take(), expected);
  event.name = "other";
  f.session->publish(event, true);
  EXPECT_EQ(f.take(), "");
  HandlerEvent member;
  member.members.resize(1);
  f.session->publish(member, false);
  EXPECT_TRUE(f.take().starts_with(header("", 9)));
  f.request("stop", StopRequest{.stop = 9}, 10);
  f.session->publish(member, false);
  EXPECT_EQ(f.take(), "");
}

std::string query_record(const QueryRecord& record, std::uint64_t sequence) {
  std::string bytes = header("", sequence);
  append(bytes, record);
  return bytes;
}

TEST(RpcSession, QueriesBringRecordsUntilTheyAreDone) {
  RpcSessionFixture f;
  f.greet();
  EXPECT_EQ(
      f.request("query", QueryRequest{.name = "load", .payload = {}, .nodes = {}, .tags = {}}, 5),
      header("", 5));
  f.queries.at(0).on_ack("a");
  EXPECT_EQ(f.take(), query_record({"a", "", "ack"}, 5));
  f.queries[0].on_response("b", "0.1");
  EXPECT_EQ(f.take(), query_record({"b", "0.1", "response"}, 5));
  f.queries[0].on_done();
  EXPECT_EQ(f.take(), query_record({"", "", "done"}, 5));
  EXPECT_EQ(f.request("query",
                      QueryRequest{.name = "refused", .payload = {}, .nodes = {}, .tags = {}}, 6),
            header("no", 6));
  f.session.reset();
  EXPECT_EQ(f.asked, (std::vector<std::string>{"query load", "query refused"}));
}

TEST(RpcSession, QueriesOfAClientThatGoesAreForgotten) {
  RpcSessionFixture f;
  f.greet();
  f.request("query", QueryRequest{.name = "load", .payload = {}, .nodes = {}, .tags = {}}, 5);
  f.session.reset();
  EXPECT_EQ(f.asked, (std::vector<std::string>{"query load", "forget 1"}));
  f.queries.at(0).on_ack("a");  // too late, and harmless
  f.queries[0].on_done();
}

TEST(RpcSession, QueriesInStreamsMayBeAnsweredUntilTheirDeadline) {
  RpcSessionFixture f;
  f.greet();
  f.request("stream", StreamRequest{.type = "query:load"}, 10);
  HandlerEvent event;
  event.kind = HandlerEvent::Kind::query;
  event.name = "load";
  event.time = LamportTime{9};
  event.payload = "q?";
  event.query = 41;
  event.deadline = EventLoop::now() + std::chrono::minutes(1);
  f.session->publish(event, false);
  // As recorded of a real agent, but for the name.
  EXPECT_EQ(f.take(), header("", 10) + from_hex("85a54576656e74a57175657279a2494401a54c54696d6509a4"
                                                "4e616d65a46c6f6164a75061796c6f6164c402713f"));
  EXPECT_EQ(f.request("respond", RespondRequest{.id = 1, .payload = "0.4"}, 11), header("", 11));
  EXPECT_EQ(f.asked.back(), "respond 41 0.4");
  EXPECT_EQ(f.request("respond", RespondRequest{.id = 2, .payload = {}}, 12),
            header("No pending queries matching ID", 12));
  event.deadline = EventLoop::now() - std::chrono::seconds(1);
  f.session->publish(event, false);
  EXPECT_NE(f.take(), "");
  EXPECT_EQ(f.request("respond", RespondRequest{.id = 2, .payload = {}}, 13),
            header("No pending queries matching ID", 13));
  event.name = "other";
  f.session->publish(event, false);
  EXPECT_EQ(f.take(), "");
}

TEST(RpcSession, Monitor) {
  RpcSessionFixture f;
  f.greet();
  f.log.info("early");
  f.log.debug("too low");
  EXPECT_EQ(f.request("monitor", MonitorRequest{.log_level = "zzz"}),
            header("Unknown log level: ZZZ", 9));
  const std::string start = f.request("monitor", MonitorRequest{.log_level = "info"});
  EXPECT_TRUE(start.starts_with(header("", 9) + header("", 9)));
  EXPECT_NE(start.find("[INFO] early"), std::string::npos);
  EXPECT_EQ(start.find("too low"), std::string::npos);
  EXPECT_EQ(f.request("monitor", MonitorRequest{.log_level = "info"}, 10),
            header("Monitor already exists", 10));
  f.log.warn("live");
  EXPECT_NE(f.take().find("[WARN] live"), std::string::npos);
  f.request("stop", StopRequest{.stop = 9}, 11);
  f.log.warn("after");
  EXPECT_EQ(f.take(), "");
}

TEST(RpcSession, SlowConsumersLoseRecords) {
  RpcSessionFixture f;
  f.greet();
  f.request("stream", StreamRequest{.type = "*"});
  HandlerEvent event;
  event.kind = HandlerEvent::Kind::user;
  event.payload = std::string(1U << 20, 'x');
  for (int i = 0; i < 20; ++i) f.session->publish(event, false);
  EXPECT_LT(f.session->output().size(), RpcSession::output_bytes_max + (2U << 20));
  EXPECT_TRUE(f.session->busy());
  f.take();
  EXPECT_FALSE(f.session->busy());
  EXPECT_NE(f.log.ring().back().text.find("records were dropped"), std::string::npos);
}

// Reads a header and a list, and gives the names in it; `after` is what follows.
std::vector<std::string> list_in(const std::string& bytes, std::string& after) {
  Bytes rest = as_bytes(bytes).subspan(header("", 9).size());
  EXPECT_TRUE(bytes.starts_with(header("", 9)));
  std::vector<std::string> names;
  MembersDecoder decoder;
  EXPECT_TRUE(decoder.feed(rest, [&](MemberInfo&& member) { names.push_back(member.name); }));
  EXPECT_TRUE(decoder.complete());
  after = as_text(rest);
  return names;
}

void ask_for(RpcSessionFixture& f, std::string_view command) {
  std::string bytes;
  append(bytes, RequestHeader{.command = std::string(command), .sequence = 9});
  f.session->receive(bytes);
}

constexpr std::size_t many = 20'000;

void fill(MembersMirror& members) {
  for (std::size_t i = 0; i < many; ++i) members.apply(joined("member-" + std::to_string(i)));
}

// However long the list is and however little the client takes at a time, little waits.
TEST(RpcSession, ListsAreWrittenWhileTheyAreSent) {
  for (const std::size_t piece : {1'000UL, 50'000UL, 1'000'000UL}) {
    RpcSessionFixture f;
    f.greet();
    fill(f.members);
    ask_for(f, "members");
    std::string received;
    std::size_t most = 0;
    while (!f.session->output().empty()) {
      most = std::max(most, f.session->output().size());
      const std::string_view taken = f.session->output().substr(0, piece);
      received += taken;
      f.session->sent(taken.size());
    }
    EXPECT_LT(most, RpcSession::listing_bytes_max + 1024);
    EXPECT_FALSE(f.session->busy());
    std::string after;
    EXPECT_EQ(list_in(received, after).size(), many);
    EXPECT_EQ(after, "");
  }
}

TEST(RpcSession, RecordsAndRequestsWaitForTheListToEnd) {
  RpcSessionFixture f;
  f.greet();
  f.request("stream", StreamRequest{.type = "*"}, 5);
  fill(f.members);
  ask_for(f, "members");
  std::string request;
  append(request, RequestHeader{.command = "event", .sequence = 10});
  append(request, EventRequest{.name = "e", .payload = {}, .coalesce = false});
  f.session->receive(request);
  HandlerEvent event;
  event.kind = HandlerEvent::Kind::user;
  event.name = "deploy";
  f.session->publish(event, false);
  EXPECT_TRUE(f.asked.empty());
  std::string received;
  while (!f.session->output().empty()) received += f.take();
  std::string after;
  EXPECT_EQ(list_in(received, after).size(), many);
  std::string expected = header("", 5);
  append(expected, UserEventRecord{.time = 0, .name = "deploy", .payload = "", .coalesce = false});
  EXPECT_EQ(after, expected + header("", 10));
}

// The number of members goes out first, so all of them must come, whatever happens to them.
TEST(RpcSession, MembersMayGoWhileTheyAreListed) {
  RpcSessionFixture f;
  f.greet();
  fill(f.members);
  ask_for(f, "members");
  std::string received = f.take();
  for (std::size_t i = 0; i < many / 2; ++i) {
    f.members.apply(reaped("member-" + std::to_string(i)));
    f.members.apply(joined("new-" + std::to_string(i)));
  }
  while (!f.session->output().empty()) received += f.take();
  std::string after;
  const std::vector<std::string> names = list_in(received, after);
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), many);
  EXPECT_TRUE(std::ranges::all_of(names, [](const auto& n) { return n.starts_with("member-"); }));
}

TEST(RpcSession, AClientThatDoesNotReadOnLosesTheList) {
  RpcSessionFixture f;
  f.greet();
  fill(f.members);
  ask_for(f, "members");
  for (std::size_t i = 0; i < many; ++i) f.members.apply(reaped("member-" + std::to_string(i)));
  while (!f.session->output().empty()) f.take();
  EXPECT_TRUE(f.session->closing());
  EXPECT_NE(f.log.ring().back().text.find("too slow"), std::string::npos);
}

TEST(RpcSession, FilteredAndHostedLists) {
  RpcSessionFixture f;
  f.greet();
  for (const char* name : {"a7", "b7", "b8"}) f.members.apply(joined(name));
  std::string after;
  EXPECT_EQ(list_in(f.request("members-filtered",
                              MembersFilteredRequest{.name = "b.*", .status = "alive", .tags = {}}),
                    after),
            (std::vector<std::string>{"b7", "b8"}));
  ask_for(f, "hosted");
  EXPECT_EQ(list_in(f.take(), after), (std::vector<std::string>{"a7", "b7"}));
}

TEST(RpcSession, HostingCommands) {
  RpcSessionFixture f;
  f.greet();
  EXPECT_EQ(
      f.request("host-member", HostMemberRequest{.name = "n", .tags = {}, .advertise = "10.0.0.1"}),
      header("", 9));
  EXPECT_EQ(
      f.request("member-tags", MemberTagsRequest{.member = "n", .tags = {}, .delete_tags = {"x"}}),
      header("", 9));
  EXPECT_EQ(f.request("unhost-member", UnhostMemberRequest{.name = "n"}), "");
  f.pending.at(0)();
  EXPECT_EQ(f.take(), header("not today", 9));
  EXPECT_EQ(f.asked, (std::vector<std::string>{"host-member n at 10.0.0.1", "member-tags n",
                                               "unhost-member n"}));
}

TEST(RpcSession, HostileInputCloses) {
  const std::vector<std::string> inputs{
      std::string(100, '\x91'),                             // nested too deep
      "\xdb\xff\xff\xff\xff" + std::string(2U << 20, 'x'),  // a header of 4 GiB
      "\xdf\xff\xff\xff\xff\xc1",                           // a map of 4 billion pairs
      "\xc1",
      "\x05",
  };
  for (const std::string& input : inputs) {
    RpcSessionFixture f;
    f.session->receive(input);
    EXPECT_TRUE(f.session->closing()) << input.substr(0, 8);
    EXPECT_EQ(f.session->output(), "");
    f.session->receive("more");
    EXPECT_EQ(f.session->output(), "");
  }
}

TEST(RpcSession, OneMebibyteIsTheLimit) {
  RpcSessionFixture f;
  f.greet();
  EventRequest event{.name = "e", .payload = std::string((1U << 20) - 200, 'x'), .coalesce = false};
  EXPECT_EQ(f.request("event", event), header("", 9));
  event.payload = std::string((1U << 20) + 1, 'x');
  EXPECT_EQ(f.request("event", event), "");
  EXPECT_TRUE(f.session->closing());
}

TEST(RpcSession, StreamsAreBounded) {
  RpcSessionFixture f;
  f.greet();
  std::string bytes;
  for (std::uint64_t i = 0; i <= RpcSession::streams_max; ++i) {
    append(bytes, RequestHeader{.command = "stream", .sequence = 100 + i});
    append(bytes, StreamRequest{.type = "user"});
  }
  const std::string answers = f.ask(bytes);
  EXPECT_TRUE(answers.ends_with(header("Too many streams", 100 + RpcSession::streams_max)));
  EXPECT_TRUE(answers.starts_with(header("", 100)));
  std::string filters = "user";
  for (std::size_t i = 0; i < RpcSession::stream_filters_max; ++i) filters += ",user";
  EXPECT_EQ(f.request("stream", StreamRequest{.type = filters}), header("Invalid event filter", 9));
}

TEST(RpcSession, AFloodOfWrongTokensIsLoggedAFewTimes) {
  RpcSessionFixture f;
  LogLimiter limiter;
  f.backend.limiter = &limiter;
  f.backend.auth_token = "right";
  f.greet();
  const std::size_t before = f.log.ring().size();
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(f.request("auth", AuthRequest{.key = "wrong"}),
              header("Invalid authentication token", 9));
  }
  EXPECT_GE(f.log.ring().size() - before, LogLimiter::refused_lines_max);
  EXPECT_LE(f.log.ring().size() - before, 2 * LogLimiter::refused_lines_max);
}

TEST(RpcSession, KnowsWhetherARequestIsHalf) {
  RpcSessionFixture f;
  EXPECT_FALSE(f.session->introduced());
  f.greet();
  EXPECT_TRUE(f.session->introduced());
  EXPECT_FALSE(f.session->half_request());
  const std::uint64_t taken = f.session->requests_taken();
  std::string bytes;
  append(bytes, RequestHeader{.command = "event", .sequence = 2});
  f.session->receive(bytes.substr(0, 4));
  EXPECT_TRUE(f.session->half_request());
  f.session->receive(bytes.substr(4));
  EXPECT_TRUE(f.session->half_request());
  EXPECT_EQ(f.session->requests_taken(), taken);
  bytes.clear();
  append(bytes, EventRequest{.name = "x", .payload = {}, .coalesce = false});
  f.session->receive(bytes);
  EXPECT_FALSE(f.session->half_request());
  EXPECT_EQ(f.session->requests_taken(), taken + 1);
}

TEST(RpcSession, Stats) {
  RpcSessionFixture f;
  f.greet();
  std::string bytes;
  append(bytes, RequestHeader{.command = "stats", .sequence = 3});
  std::string expected = header("", 3);
  append_stats(expected, {{"agent", {{"name", "x"}}}});
  EXPECT_EQ(f.ask(bytes), expected);
}

}  // namespace
}  // namespace starling::agent
