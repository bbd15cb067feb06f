#include "agent/query_desk.h"

#include <algorithm>

#include "tests/agent/engine_fixture.h"

namespace starling::agent {
namespace {

using namespace std::chrono_literals;

// A desk on a real engine that hosts one further member; queries for handlers are kept.
struct QueryDeskFixture : EngineFixture {
  Log log{LogLevel::debug, [](std::string_view) {}};
  MembersMirror mirror;
  std::vector<SeenQuery> seen;
  std::unique_ptr<QueryDesk> desk;

  explicit QueryDeskFixture(int protocol = 5)
      : EngineFixture("own", {.hosted = {{"two", {{"role", "db"}}}}, .hosted_max = 4}) {
    desk = std::make_unique<QueryDesk>(
        *engine, mirror, log,
        QueryDesk::Options{.own_name = "own",
                           .protocol = protocol,
                           .hosted = [] { return std::vector<std::string>{"two"}; }},
        [this](SeenQuery query) { seen.push_back(std::move(query)); });
    on_event = [this](const Event& event) {
      if (event.kind == Event::Kind::member) mirror.apply(event);
      desk->on_event(event);
    };
    EXPECT_TRUE(run_until([&] { return mirror.size() == 2; }));
  }
  ~QueryDeskFixture() { engine->stop(); }

  struct Outcome {
    std::string error;
    std::vector<std::string> acks, responses;
    bool done = false;
  };
  std::shared_ptr<Outcome> ask(QueryParams params) {
    auto outcome = std::make_shared<Outcome>();
    if (params.timeout == Duration::zero()) params.timeout = 300ms;
    QueryCallbacks callbacks{
        .on_ack = [outcome](std::string_view from) { outcome->acks.emplace_back(from); },
        .on_response =
            [outcome](std::string_view from, std::string_view payload) {
              outcome->responses.push_back(std::string(from) + "=" + std::string(payload));
            },
        .on_done = [outcome] { outcome->done = true; }};
    desk->ask(std::move(params), std::move(callbacks),
              [outcome](const std::string& error) { outcome->error = error; });
    return outcome;
  }
  std::string respond(std::uint64_t number, std::string payload) {
    std::optional<std::string> answered;
    desk->respond(number, std::move(payload), [&](const std::string& error) { answered = error; });
    EXPECT_TRUE(run_until([&] { return answered.has_value(); }));
    return answered.value_or("no answer");
  }
};

TEST(QueryDesk, BringsAcksAnswersAndTheEnd) {
  QueryDeskFixture f;
  const auto outcome = f.ask({.name = "load", .payload = "now", .want_acks = true});
  ASSERT_TRUE(f.run_until([&] { return !f.seen.empty(); }));
  EXPECT_EQ(f.seen[0].name, "load");
  EXPECT_EQ(f.seen[0].payload, "now");
  EXPECT_EQ(f.seen[0].source_node, "own");
  EXPECT_EQ(f.respond(f.seen[0].number, "0.3"), "");
  EXPECT_EQ(f.respond(f.seen[0].number, "0.3"),
            "failed to respond to key query: response already sent");
  ASSERT_TRUE(f.run_until([&] { return outcome->done; }));
  EXPECT_EQ(outcome->error, "");
  std::ranges::sort(outcome->acks);
  EXPECT_EQ(outcome->acks, (std::vector<std::string>{"own", "two"}));
  EXPECT_EQ(outcome->responses, std::vector<std::string>{"own=0.3"});
  EXPECT_EQ(f.desk->open(), 0u);
  EXPECT_EQ(f.respond(f.seen[0].number + 1, ""),
            "failed to respond to key query: response is past the deadline");
}

TEST(QueryDesk, JudgesTagsForEachHostedMember) {
  QueryDeskFixture f;
  const auto db = f.ask({.name = "one", .tags = {{"role", "d"}}, .want_acks = true});
  const auto none = f.ask({.name = "two", .tags = {{"role", "web"}}, .want_acks = true});
  const auto all = f.ask({.name = "three", .tags = {{"role", ""}}, .want_acks = true});
  const auto broken = f.ask({.name = "four", .tags = {{"role", "("}}, .want_acks = true});
  ASSERT_TRUE(f.run_until([&] { return db->done && none->done && all->done && broken->done; }));
  EXPECT_EQ(db->acks, std::vector<std::string>{"two"});
  EXPECT_TRUE(none->acks.empty());
  EXPECT_EQ(all->acks.size(), 2u);
  EXPECT_TRUE(broken->acks.empty());
  // Handlers see only what the agent's own member may answer.
  ASSERT_EQ(f.seen.size(), 1u);
  EXPECT_EQ(f.seen[0].name, "three");
}

TEST(QueryDesk, RefusesWithSerfsWords) {
  QueryDeskFixture f;
  const auto large = f.ask({.name = "load", .payload = std::string(1000, 'x')});
  ASSERT_TRUE(f.run_until([&] { return !large->error.empty(); }));
  EXPECT_EQ(large->error, "query exceeds limit of 1024 bytes");
  EXPECT_EQ(f.ask({.name = "load", .payload = std::string(100'000, 'x')})->error,
            "query exceeds limit of 1024 bytes");
  EXPECT_EQ(f.ask({.name = "load", .nodes = {std::string(100'000, 'x')}})->error,
            "query exceeds limit of 1024 bytes");
  EXPECT_EQ(f.desk->open(), 0u);
  EXPECT_FALSE(large->done);
  EXPECT_EQ(f.respond(1, std::string(5000, 'x')),
            "failed to respond to key query: response exceeds limit of 1024 bytes");
  EXPECT_EQ(QueryDeskFixture(3).ask({.name = "load"})->error, "Feature not supported");
}

TEST(QueryDesk, GivesInternalQueriesToTheirResponder) {
  QueryDeskFixture f;
  std::vector<std::string> internal;
  f.desk->on_internal("_serf_list-keys",
                      [&](const SeenQuery& query, const QueryDesk::Responder& respond) {
                        internal.push_back(query.name);
                        respond("keys");
                      });
  const auto keys = f.ask({.name = "_serf_list-keys"});
  const auto ping = f.ask({.name = "_serf_ping", .want_acks = true});
  const auto unknown = f.ask({.name = "_serf_what"});
  ASSERT_TRUE(f.run_until([&] { return keys->done && ping->done && unknown->done; }));
  EXPECT_EQ(internal, std::vector<std::string>{"_serf_list-keys"});
  EXPECT_EQ(keys->responses, std::vector<std::string>{"own=keys"});
  EXPECT_EQ(ping->acks.size(), 2u);
  EXPECT_TRUE(f.seen.empty());
  EXPECT_TRUE(std::ranges::any_of(f.log.ring(), [](const LogLine& line) {
    return line.text.find("Unhandled internal query 'what'") != std::string::npos;
  }));
}

TEST(QueryDesk, AnswersForEveryHostedMember) {
  QueryDeskFixture f;
  f.desk->on_internal("_serf_list-keys",
                      [&](const SeenQuery&, const QueryDesk::Responder& respond) {
                        respond.for_everybody("keys");
                      });
  const auto keys = f.ask({.name = "_serf_list-keys"});
  ASSERT_TRUE(f.run_until([&] { return keys->done; }));
  std::ranges::sort(keys->responses);
  EXPECT_EQ(keys->responses, (std::vector<std::string>{"own=keys", "two=keys"}));
}

TEST(QueryDesk, AForgottenQueryCallsNobody) {
  QueryDeskFixture f;
  bool called = false;
  const QueryTicket ticket = f.desk->ask({.name = "load", .timeout = 50ms, .want_acks = true},
                                         {.on_ack = [&](std::string_view) { called = true; },
                                          .on_response = {},
                                          .on_done = [&] { called = true; }});
  f.desk->forget(ticket);
  const auto later = f.ask({.name = "later"});
  ASSERT_TRUE(f.run_until([&] { return later->done; }));
  EXPECT_FALSE(called);
}

TEST(QueryDesk, AResponderKnowsWhatFits) {
  QueryDeskFixture f;
  std::optional<QueryDesk::Responder> kept;
  f.desk->on_internal(
      "_serf_x", [&](const SeenQuery&, const QueryDesk::Responder& respond) { kept = respond; });
  const auto asked = f.ask({.name = "_serf_x"});
  ASSERT_TRUE(f.run_until([&] { return kept.has_value(); }));
  EXPECT_TRUE(kept->fits(900));
  EXPECT_FALSE(kept->fits(1024));
  EXPECT_FALSE(kept->fits(1u << 30));
  std::size_t most = 900;
  while (kept->fits(most + 1)) ++most;
  std::optional<std::string> answered;
  (*kept)(std::string(most + 1, 'x'), [&](const std::string& error) { answered = error; });
  ASSERT_TRUE(f.run_until([&] { return answered.has_value(); }));
  EXPECT_EQ(*answered, "failed to respond to key query: response exceeds limit of 1024 bytes");
  answered.reset();
  (*kept)(std::string(most, 'x'), [&](const std::string& error) { answered = error; });
  ASSERT_TRUE(f.run_until([&] { return answered.has_value(); }));
  EXPECT_EQ(*answered, "");
}

TEST(QueryNames, InternalOnesAreNotForClients) {
  const std::string refused = "Queries cannot contain the '_serf_' prefix";
  EXPECT_EQ(problem_with_name({.name = "load"}), "");
  EXPECT_EQ(problem_with_name({.name = "_serf_ping"}), "");
  EXPECT_EQ(problem_with_name({.name = "_serf_ping", .payload = "x"}), refused);
  EXPECT_EQ(problem_with_name({.name = "_serf_conflict"}), refused);
  EXPECT_EQ(problem_with_name({.name = "_serf_"}), refused);
}

}  // namespace
}  // namespace starling::agent
