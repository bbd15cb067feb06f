// Queries of one node: asked, seen, answered, relayed, collected.
#include "core/shard/query_turn.h"

#include <gtest/gtest.h>

#include <set>

#include "core/serf/query_filter.h"
#include "tests/support/laned_node.h"
#include "tests/support/node_talk.h"

namespace starling::test {
namespace {

using namespace std::chrono_literals;

const Peer origin{.name = "origin", .host = 2};

ByteVector query_datagram(const Query& query) {
  std::array<std::byte, 2048> room;
  Writer out(room);
  out.u8(static_cast<std::uint8_t>(MessageType::user));
  encode(query, out, SignedStyle::unsigned_form);
  EXPECT_TRUE(out.ok());
  return to_vector(out.written());
}

// A query of `origin` with id 77 at time 4.
Query load_query() {
  return {.time = LamportTime{4},
          .id = 77,
          .address = origin.address.bytes(),
          .port = 7946,
          .source_node = "origin",
          .flags = Query::flag_ack,
          .timeout_ns = 1'000'000'000,
          .name = "load",
          .payload = as_bytes("now")};
}

// Serf messages of one type among packets, with where they went; without memberlist's type byte.
std::vector<std::pair<Endpoint, ByteVector>> serf_messages(const std::vector<SentPacket>& packets,
                                                           SerfType type) {
  std::vector<std::pair<Endpoint, ByteVector>> found;
  for (const SentPacket& packet : packets) {
    for (const ByteVector& message : packet.messages) {
      if (message.size() > 1 && message[0] == std::byte{8} &&
          message[1] == static_cast<std::byte>(type)) {
        found.emplace_back(packet.to, to_vector(body_of(message)));
      }
    }
  }
  return found;
}

QueryResponse decoded(const ByteVector& message, Scratch& scratch) {
  const auto response = decode_query_response(body_of(message), scratch);
  EXPECT_TRUE(response);
  return response.value_or(QueryResponse{});
}

std::vector<KeptEvent> events_of(LoneNode& node, Event::Kind kind) {
  std::vector<KeptEvent> found;
  for (KeptEvent& kept : node.take_events()) {
    if (kept.event.kind == kind) found.push_back(std::move(kept));
  }
  return found;
}

LoneNode node_with_origin() {
  LoneNode node = quiet_node();
  node.receive_message(origin.alive(1));
  node.take_packets();
  node.take_events();
  return node;
}

Done respond(LoneNode& node, std::uint64_t query, std::string_view payload) {
  node.command(
      {.kind = Command::Kind::respond, .token = 31, .payload = as_bytes(payload), .query = query});
  const std::vector<Done> done = finished(node);
  EXPECT_EQ(done.size(), 1u);
  return done.empty() ? Done{} : done.front();
}

TEST(QueriesSeen, ArePassedOnOnceAndAcknowledged) {
  LoneNode node = node_with_origin();
  const ByteVector datagram = query_datagram(load_query());
  node.receive(datagram);
  node.receive(datagram);
  const std::vector<SentPacket> sent = node.take_packets();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].to, origin.endpoint());
  Scratch scratch;
  const ByteVector message = to_vector(body_of(sent[0].messages[0]));
  const QueryResponse ack = decoded(message, scratch);
  EXPECT_EQ(ack.id, 77u);
  EXPECT_EQ(to_number(ack.time), 4u);
  EXPECT_EQ(ack.from, "me");
  EXPECT_EQ(ack.flags, QueryResponse::flag_ack);
  EXPECT_TRUE(ack.payload.empty());
  EXPECT_EQ(gossiped(node, SerfType::query, 5s).size(), 4u);
  EXPECT_EQ(node.stats().query_time, 5u);
}

TEST(QueriesSeen, AreReportedWithAllThatAHandlerNeeds) {
  LoneNode node = node_with_origin();
  node.receive(query_datagram(load_query()));
  const std::vector<KeptEvent> seen = events_of(node, Event::Kind::query);
  ASSERT_EQ(seen.size(), 1u);
  const Event& event = seen[0].event;
  EXPECT_EQ(seen[0].name, "load");
  EXPECT_EQ(seen[0].from, "origin");
  EXPECT_EQ(as_text(seen[0].payload), "now");
  EXPECT_EQ(to_number(event.time), 4u);
  EXPECT_EQ(event.id, 77u);
  EXPECT_EQ(event.flags, Query::flag_ack);
  EXPECT_EQ(event.endpoint, origin.endpoint());
  EXPECT_EQ(event.deadline, node.now() + 1s);
  EXPECT_EQ(event.filter_count, 0u);
  EXPECT_NE(event.number, 0u);
}

TEST(QueriesSeen, WithoutTheFlagsAreNotAckedOrNotPassedOn) {
  LoneNode node = node_with_origin();
  Query query = load_query();
  query.flags = Query::flag_no_broadcast;
  node.receive(query_datagram(query));
  EXPECT_TRUE(node.take_packets().empty());
  EXPECT_EQ(events_of(node, Event::Kind::query).size(), 1u);
  EXPECT_TRUE(gossiped(node, SerfType::query, 5s).empty());
}

// Encoded filters that live as long as this.
struct Filters {
  Filters(std::vector<std::string_view> names, std::vector<TagFilter> tags = {}) {
    Writer out{MutableBytes(room)};
    count = write_filters(names, tags, out, scratch).value_or(0);
    bytes = out.written();
  }
  BytesList list() const { return BytesList(bytes, count); }
  std::array<std::byte, 512> room, scratch;
  Bytes bytes;
  std::uint32_t count = 0;
};

TEST(QueriesSeen, ForOthersAreOnlyPassedOn) {
  LoneNode node = node_with_origin();
  const Filters filters({"somebody", "else"});
  Query query = load_query();
  query.filters = filters.list();
  node.receive(query_datagram(query));
  EXPECT_TRUE(node.take_packets().empty());
  std::vector<TraceKind> traces;
  for (const KeptEvent& kept : node.take_events()) {
    EXPECT_EQ(kept.event.kind, Event::Kind::trace);
    traces.push_back(kept.event.trace);
    EXPECT_EQ(kept.name, "load");
  }
  EXPECT_EQ(traces, (std::vector{TraceKind::query_seen, TraceKind::query_for_others}));
  EXPECT_FALSE(gossiped(node, SerfType::query).empty());
}

TEST(QueriesSeen, WithFiltersByTagsAreAckedWhenTheOwnerSaysSo) {
  LoneNode node = node_with_origin();
  const Filters filters({"me"}, {{"role", "web"}});
  Query query = load_query();
  query.filters = filters.list();
  node.receive(query_datagram(query));
  EXPECT_TRUE(node.take_packets().empty());
  const std::vector<KeptEvent> seen = events_of(node, Event::Kind::query);
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].event.filter_count, 2u);
  EXPECT_TRUE(equal(seen[0].filters, filters.bytes));
  node.command({.kind = Command::Kind::acknowledge,
                .token = 3,
                .name = "me",
                .query = seen[0].event.number});
  EXPECT_EQ(finished(node), (std::vector<Done>{{3, CommandResult::ok, ""}}));
  const auto acks = serf_messages(node.take_packets(), SerfType::query_response);
  ASSERT_EQ(acks.size(), 1u);
  Scratch scratch;
  EXPECT_EQ(decoded(acks[0].second, scratch).flags, QueryResponse::flag_ack);
  node.command({.kind = Command::Kind::acknowledge,
                .token = 4,
                .name = "stranger",
                .query = seen[0].event.number});
  EXPECT_EQ(finished(node)[0].result, CommandResult::not_hosted);
}

TEST(QueriesSeen, AreAckedByEveryHostedMemberTheyAreFor) {
  EngineOptions options = LoneNode::options_named("me");
  options.swim.probe_interval = options.swim.push_pull_interval = Duration::zero();
  options.hosted = {{"two", {IpAddress::v4(127, 0, 0, 1), 7946}, ""},
                    {"three", {IpAddress::v4(127, 0, 0, 1), 7946}, ""}};
  LoneNode node(options);
  const auto ackers = [&](const Query& query) {
    node.take_packets();
    node.receive(query_datagram(query));
    std::set<std::string> names;
    for (const auto& [to, message] : serf_messages(node.take_packets(), SerfType::query_response)) {
      Scratch scratch;
      names.insert(std::string(decoded(message, scratch).from));
    }
    return names;
  };
  EXPECT_EQ(ackers(load_query()), (std::set<std::string>{"me", "two", "three"}));
  EXPECT_EQ(events_of(node, Event::Kind::query).size(), 1u);
  const Filters filters({"two"});
  Query query = load_query();
  query.id = 78;
  query.filters = filters.list();
  EXPECT_EQ(ackers(query), (std::set<std::string>{"two"}));
  // Only the engine's first member answers, and this one is not for it.
  EXPECT_TRUE(events_of(node, Event::Kind::query).empty());
}

// ---- answering ----------------------------------------------------------------------------------

TEST(QueryAnswers, GoStraightToTheAskerOnce) {
  LoneNode node = node_with_origin();
  node.receive(query_datagram(load_query()));
  node.take_packets();
  const std::uint64_t query = events_of(node, Event::Kind::query).at(0).event.number;
  EXPECT_EQ(respond(node, query, "0.5"), (Done{31, CommandResult::ok, ""}));
  const auto sent = serf_messages(node.take_packets(), SerfType::query_response);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].first, origin.endpoint());
  Scratch scratch;
  const QueryResponse response = decoded(sent[0].second, scratch);
  EXPECT_EQ(response.flags, 0u);
  EXPECT_EQ(as_text(response.payload), "0.5");
  EXPECT_EQ(respond(node, query, "0.5"),
            (Done{31, CommandResult::already_answered, "response already sent"}));
  EXPECT_TRUE(serf_messages(node.take_packets(), SerfType::query_response).empty());
}

TEST(QueryAnswers, ComeFromEachHostedMemberOnceWhenTheQueryIsForEverybody) {
  EngineOptions options = LoneNode::options_named("me");
  options.swim.probe_interval = options.swim.push_pull_interval = Duration::zero();
  options.hosted = {{"two", {IpAddress::v4(127, 0, 0, 1), 7946}, ""}};
  LoneNode node(options);
  node.receive(query_datagram(load_query()));
  node.take_packets();
  const std::uint64_t query = events_of(node, Event::Kind::query).at(0).event.number;
  const auto answer_as = [&](std::string_view name, std::uint64_t number) {
    node.command({.kind = Command::Kind::respond,
                  .token = 31,
                  .name = name,
                  .payload = as_bytes("x"),
                  .query = number});
    const std::vector<Done> done = finished(node);
    std::string from;
    for (const auto& [to, message] : serf_messages(node.take_packets(), SerfType::query_response)) {
      Scratch scratch;
      from += decoded(message, scratch).from;
    }
    return std::pair(done.at(0).result, from);
  };
  EXPECT_EQ(answer_as("two", query), std::pair(CommandResult::ok, std::string("two")));
  EXPECT_EQ(answer_as("two", query), std::pair(CommandResult::already_answered, std::string()));
  EXPECT_EQ(answer_as("", query), std::pair(CommandResult::ok, std::string("me")));
  EXPECT_EQ(answer_as("me", query), std::pair(CommandResult::already_answered, std::string()));
  EXPECT_EQ(answer_as("three", query), std::pair(CommandResult::not_hosted, std::string()));

  const Filters filters({"me"});
  Query filtered = load_query();
  filtered.id = 78;
  filtered.filters = filters.list();
  node.receive(query_datagram(filtered));
  node.take_packets();
  const std::uint64_t second = events_of(node, Event::Kind::query).at(0).event.number;
  EXPECT_EQ(answer_as("two", second), std::pair(CommandResult::refused, std::string()));
  EXPECT_EQ(answer_as("", second), std::pair(CommandResult::ok, std::string("me")));
}

TEST(QueryAnswers, TooLargeMayBeTriedAgain) {
  LoneNode node = node_with_origin();
  node.receive(query_datagram(load_query()));
  const std::uint64_t query = events_of(node, Event::Kind::query).at(0).event.number;
  const Done refused{31, CommandResult::too_large, "response exceeds limit of 1024 bytes"};
  EXPECT_EQ(respond(node, query, std::string(5000, 'x')), refused);
  // The limit counts everything: type byte, keys, numbers, name (trap 17).
  std::array<std::byte, 2048> room;
  Writer out(room);
  encode(QueryResponse{.time = LamportTime{4},
                       .id = 77,
                       .from = "me",
                       .flags = 0,
                       .payload = as_bytes(std::string(900, 'x'))},
         out);
  const std::size_t overhead = out.size() - 900;
  EXPECT_EQ(respond(node, query, std::string(1024 - overhead + 1, 'x')), refused);
  EXPECT_EQ(respond(node, query, std::string(1024 - overhead, 'x')).result, CommandResult::ok);
}

TEST(QueryAnswers, ComeTooLateAfterTheDeadline) {
  LoneNode node = node_with_origin();
  node.receive(query_datagram(load_query()));
  const std::uint64_t query = events_of(node, Event::Kind::query).at(0).event.number;
  node.advance(1001ms);
  node.take_events();
  const Done late{31, CommandResult::too_late, "response is past the deadline"};
  EXPECT_EQ(respond(node, query, "x"), late);
  EXPECT_EQ(respond(node, query + 50, "x"), late);
}

TEST(QueryAnswers, AQueryWithAnAbsurdTimeOutIsHarmless) {
  LoneNode node = node_with_origin();
  for (const std::int64_t timeout : {INT64_MAX, INT64_MIN, std::int64_t{0}}) {
    Query query = load_query();
    query.id += static_cast<std::uint32_t>(timeout & 0xff) + 1 + (timeout < 0 ? 500 : 0);
    query.timeout_ns = timeout;
    node.receive(query_datagram(query));
  }
  EXPECT_EQ(events_of(node, Event::Kind::query).size(), 3u);
}

// ---- relays -------------------------------------------------------------------------------------

// Four further members; the last of an old version, the one before it dead.
void add_relays(LoneNode& node) {
  for (std::uint8_t i = 0; i < 4; ++i) {
    const std::string name = "relay" + std::to_string(i);
    const Peer peer{.name = name, .host = static_cast<std::uint8_t>(10 + i)};
    Alive alive = peer.alive(1);
    const std::array<std::byte, 6> old =
        write_versions({.protocol_min = 1, .protocol_max = 4, .protocol_current = 2});
    if (i == 3) alive.versions = old;
    node.receive_message(alive);
    if (i == 2) node.receive_message(dead(name, 1, "origin"));
  }
  node.take_packets();
  node.take_events();
}

TEST(QueryRelays, CarryAnswersThroughOtherMembersToo) {
  LoneNode node = node_with_origin();
  add_relays(node);
  Query query = load_query();
  query.relay_factor = 3;
  query.flags |= Query::flag_no_broadcast;
  node.receive(query_datagram(query));
  const std::vector<SentPacket> packets = node.take_packets();
  EXPECT_EQ(serf_messages(packets, SerfType::query_response).size(), 1u);
  const auto relays = serf_messages(packets, SerfType::relay);
  // Alive, not ourselves and new enough are origin, relay0 and relay1.
  std::set<Endpoint> through;
  for (const auto& [to, message] : relays) {
    through.insert(to);
    Scratch scratch;
    const auto relay = decode_relay(body_of(message), scratch);
    ASSERT_TRUE(relay);
    EXPECT_TRUE(equal(relay->address, origin.address.bytes()));
    EXPECT_EQ(relay->port, 7946);
    EXPECT_EQ(relay->node, "origin");
    Scratch inner_scratch;
    EXPECT_EQ(relay->inner.front(), std::byte{5});
    const auto ack = decode_query_response(relay->inner.subspan(1), inner_scratch);
    EXPECT_EQ(ack->from, "me");
  }
  EXPECT_EQ(relays.size(), through.size());
  EXPECT_LE(through.size(), 3u);
  EXPECT_GE(through.size(), 1u);
  for (const Endpoint& endpoint : through) {
    EXPECT_NE(endpoint.address, IpAddress::v4(127, 0, 0, 12));
    EXPECT_NE(endpoint.address, IpAddress::v4(127, 0, 0, 13));
  }
}

TEST(QueryRelays, AreNotWorthItInASmallCluster) {
  LoneNode node = node_with_origin();
  Query query = load_query();
  query.relay_factor = 2;
  node.receive(query_datagram(query));
  EXPECT_TRUE(serf_messages(node.take_packets(), SerfType::relay).empty());
}

TEST(QueryRelays, AnAnswerThatOnlyFitsWithoutTheWrapperSaysSo) {
  LoneNode node = node_with_origin();
  Query query = load_query();
  query.relay_factor = 1;
  node.receive(query_datagram(query));
  node.take_packets();
  const std::uint64_t number = events_of(node, Event::Kind::query).at(0).event.number;
  EXPECT_EQ(respond(node, number, std::string(960, 'x')),
            (Done{31, CommandResult::too_large, "relayed response exceeds limit of 1024 bytes"}));
  // The direct copy has gone.
  EXPECT_EQ(serf_messages(node.take_packets(), SerfType::query_response).size(), 1u);
}

TEST(QueryRelays, OfOthersArePassedOn) {
  LoneNode node = node_with_origin();
  std::array<std::byte, 256> room;
  Writer out(room);
  out.u8(static_cast<std::uint8_t>(MessageType::user));
  encode_relay_header(
      {.address = origin.address.bytes(), .port = 7946, .zone = {}, .node = "x", .inner = {}}, out,
      SignedStyle::unsigned_form);
  encode(QueryResponse{.time = LamportTime{1}, .id = 5, .from = "far", .flags = 0, .payload = {}},
         out);
  node.receive(out.written());
  const auto sent = serf_messages(node.take_packets(), SerfType::query_response);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].first, origin.endpoint());
  EXPECT_EQ(node.stats().counters.query_answers_relayed, 1u);
}

// ---- asking -------------------------------------------------------------------------------------

Command ask_command() {
  return {.kind = Command::Kind::query,
          .token = 9,
          .name = "load",
          .payload = as_bytes("now"),
          .timeout = 2s,
          .want_acks = true};
}

// The query that the node gossips.
struct Asked {
  explicit Asked(LoneNode& node) {
    const auto sent = gossiped(node, SerfType::query);
    EXPECT_FALSE(sent.empty());
    if (sent.empty()) return;
    message = sent[0];
    const auto decoded = decode_query(body_of(message), scratch);
    EXPECT_TRUE(decoded);
    query = decoded.value_or(Query{});
  }
  ByteVector message;
  Scratch scratch;
  Query query;
};

ByteVector answer_to(const Query& query, std::string_view from, std::uint32_t flags,
                     std::string_view payload = {}) {
  return user_datagram(QueryResponse{.time = query.time,
                                     .id = query.id,
                                     .from = from,
                                     .flags = flags,
                                     .payload = as_bytes(payload)});
}

TEST(QueriesAsked, AreStampedAndGossiped) {
  LoneNode node = node_with_origin();
  const Filters filters({"a"}, {{"role", "web"}});
  Command command = ask_command();
  command.filters = filters.bytes;
  command.filter_count = filters.count;
  command.relay_factor = 2;
  node.command(command);
  EXPECT_EQ(finished(node), (std::vector<Done>{{9, CommandResult::ok, ""}}));
  const Asked asked(node);
  EXPECT_EQ(to_number(asked.query.time), 1u);
  EXPECT_TRUE(equal(asked.query.address, IpAddress::v4(127, 0, 0, 1).bytes()));
  EXPECT_EQ(asked.query.port, 7946);
  EXPECT_EQ(asked.query.source_node, "me");
  EXPECT_EQ(asked.query.flags, Query::flag_ack);
  EXPECT_EQ(asked.query.relay_factor, 2);
  EXPECT_EQ(asked.query.timeout_ns, 2'000'000'000);
  EXPECT_EQ(asked.query.name, "load");
  EXPECT_EQ(as_text(asked.query.payload), "now");
  EXPECT_EQ(asked.query.filters.size(), 2u);
  EXPECT_LT(asked.query.id, 1u << 31);
  EXPECT_EQ(node.stats().query_time, 2u);
}

TEST(QueriesAsked, WithoutATimeOutGetSerfs) {
  LoneNode node = node_with_origin();  // two members: 200 ms * 16 * ceil(log10 3)
  Command command = ask_command();
  command.timeout = Duration::zero();
  node.command(command);
  EXPECT_EQ(Asked(node).query.timeout_ns, 3'200'000'000);
  for (std::uint8_t i = 0; i < 8; ++i) {  // ten: ceil(log10 11)
    const std::string name = "m" + std::to_string(i);
    node.receive_message(Peer{.name = name, .host = static_cast<std::uint8_t>(20 + i)}.alive(1));
  }
  node.take_packets();
  node.advance(10s);  // the first query has gone out
  node.take_packets();
  node.command(command);
  EXPECT_EQ(Asked(node).query.timeout_ns, 6'400'000'000);
}

TEST(QueriesAsked, CollectEachMembersAckAndAnswerOnce) {
  LoneNode node = node_with_origin();
  node.command(ask_command());
  node.take_events();
  const Asked asked(node);
  for (int twice = 0; twice < 2; ++twice) {
    node.receive(answer_to(asked.query, "origin", QueryResponse::flag_ack));
    node.receive(answer_to(asked.query, "origin", 0, "0.7"));
  }
  std::vector<KeptEvent> events = node.take_events();
  std::erase_if(events,
                [](const KeptEvent& kept) { return kept.event.kind == Event::Kind::trace; });
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].event.kind, Event::Kind::query_ack);
  EXPECT_EQ(events[0].event.token, 9u);
  EXPECT_EQ(events[0].from, "origin");
  EXPECT_EQ(events[1].event.kind, Event::Kind::query_response);
  EXPECT_EQ(events[1].from, "origin");
  EXPECT_EQ(as_text(events[1].payload), "0.7");
  EXPECT_EQ(node.stats().counters.query_acks_duplicate, 1u);
  EXPECT_EQ(node.stats().counters.query_responses_duplicate, 1u);
}

TEST(QueriesAsked, AreAnsweredByTheAskerItselfWithoutANetwork) {
  LoneNode node = node_with_origin();
  node.command(ask_command());
  std::vector<KeptEvent> events = node.take_events();
  std::erase_if(events,
                [](const KeptEvent& kept) { return kept.event.kind == Event::Kind::trace; });
  ASSERT_EQ(events.size(), 3u);  // the answer to the command is the first
  EXPECT_EQ(events[0].event.kind, Event::Kind::done);
  EXPECT_EQ(events[1].event.kind, Event::Kind::query_ack);
  EXPECT_EQ(events[1].from, "me");
  EXPECT_EQ(events[2].event.kind, Event::Kind::query);
  EXPECT_TRUE(node.take_packets().empty());
  EXPECT_EQ(respond(node, events[2].event.number, "mine").result, CommandResult::ok);
}

TEST(QueriesAsked, EndAtTheirDeadlineAndTakeNothingAfterIt) {
  LoneNode node = node_with_origin();
  node.command(ask_command());
  const Asked asked(node);  // a second has passed
  node.advance(990ms);
  EXPECT_TRUE(events_of(node, Event::Kind::query_done).empty());
  node.advance(20ms);
  const std::vector<KeptEvent> done = events_of(node, Event::Kind::query_done);
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(done[0].event.token, 9u);
  node.receive(answer_to(asked.query, "origin", 0, "late"));
  EXPECT_TRUE(events_of(node, Event::Kind::query_response).empty());
  EXPECT_EQ(node.stats().counters.query_answers_stray, 1u);
}

TEST(QueriesAsked, AnswersWithAnotherIdOrTimeAreStray) {
  LoneNode node = node_with_origin();
  node.command(ask_command());
  const Asked asked(node);
  node.take_events();
  Query other = asked.query;
  ++other.id;
  node.receive(answer_to(other, "origin", 0, "x"));
  other = asked.query;
  other.time = LamportTime{77};
  node.receive(answer_to(other, "origin", 0, "x"));
  std::vector<std::string> reasons;
  for (const KeptEvent& kept : node.take_events()) {
    EXPECT_NE(kept.event.kind, Event::Kind::query_response);
    if (kept.event.kind == Event::Kind::trace && kept.event.trace == TraceKind::answer_stray) {
      reasons.push_back(kept.text);
    }
  }
  EXPECT_EQ(reasons,
            (std::vector<std::string>{"query reply ID mismatch", "reply for non-running query"}));
}

TEST(QueriesAsked, AcksNobodyAskedForAreIgnored) {
  LoneNode node = node_with_origin();
  Command command = ask_command();
  command.want_acks = false;
  node.command(command);
  const Asked asked(node);
  EXPECT_EQ(asked.query.flags, 0u);
  node.receive(answer_to(asked.query, "origin", QueryResponse::flag_ack));
  EXPECT_TRUE(events_of(node, Event::Kind::query_ack).empty());
}

TEST(QueriesAsked, TooLargeOnesAreRefusedAndTheClockStands) {
  LoneNode node = node_with_origin();
  Command command = ask_command();
  const std::string payload(1000, 'x');
  command.payload = as_bytes(payload);
  node.command(command);
  EXPECT_EQ(
      finished(node),
      (std::vector<Done>{{9, CommandResult::too_large, "query exceeds limit of 1024 bytes"}}));
  EXPECT_EQ(node.stats().query_time, 1u);
}

TEST(QueriesAsked, AreBounded) {
  EngineOptions options = LoneNode::options_named("me");
  options.capacity.open_queries_max = 2;
  LoneNode node(options);
  for (int i = 0; i < 3; ++i) node.command(ask_command());
  const std::vector<Done> done = finished(node);
  ASSERT_EQ(done.size(), 3u);
  EXPECT_EQ(done[1].result, CommandResult::ok);
  EXPECT_EQ(done[2], (Done{9, CommandResult::no_capacity, "too many queries are open"}));
  node.advance(3s);
  EXPECT_EQ(events_of(node, Event::Kind::query_done).size(), 2u);
  node.command(ask_command());
  EXPECT_EQ(finished(node)[0].result, CommandResult::ok);
}

TEST(NameConflicts, AboutAHostedNameAreReported) {
  LoneNode node = node_with_origin();
  node.receive_message(Peer{.name = "me", .host = 66}.alive(3));
  node.receive_message(Peer{.name = "origin", .host = 67}.alive(3));
  const std::vector<KeptEvent> conflicts = events_of(node, Event::Kind::conflict);
  ASSERT_EQ(conflicts.size(), 1u);
  EXPECT_EQ(conflicts[0].name, "me");
  EXPECT_EQ(conflicts[0].event.endpoint, (Endpoint{IpAddress::v4(127, 0, 0, 66), 7946}));
}

// ---- several lanes ------------------------------------------------------------------------------

TEST(QueriesOfLanes, AreSeenOnceAndCollectedWhereverAnswersArrive) {
  constexpr std::uint32_t lanes = 3;
  EngineOptions options = LoneNode::options_named("me");
  options.swim.push_pull_interval = options.swim.probe_interval = Duration::zero();
  LanedNode node(options, lanes);
  for (std::uint8_t i = 0; i < 12; ++i) {
    const std::string name = "m" + std::to_string(i);
    node.receive_message(i % lanes,
                         Peer{.name = name, .host = static_cast<std::uint8_t>(20 + i)}.alive(1));
  }
  node.take_packets();
  node.take_events();
  node.command(ask_command());
  node.advance(500ms);
  Query asked;
  Scratch scratch;
  ByteVector kept_message;
  for (const auto& [to, message] : serf_messages(node.take_packets(), SerfType::query)) {
    kept_message = message;
  }
  ASSERT_FALSE(kept_message.empty());
  asked = decode_query(body_of(kept_message), scratch).value();
  EXPECT_EQ(asked.flags, Query::flag_ack);
  for (std::uint32_t lane = 0; lane < lanes; ++lane) {
    node.receive(lane, answer_to(asked, "m" + std::to_string(lane), 0, "x"));
    node.receive(lane, answer_to(asked, "m0", QueryResponse::flag_ack));
  }
  std::multiset<std::string> acks, responses;
  for (const KeptEvent& kept : node.take_events()) {
    if (kept.event.kind == Event::Kind::query_ack) acks.insert(kept.from);
    if (kept.event.kind == Event::Kind::query_response) responses.insert(kept.from);
  }
  EXPECT_EQ(acks, (std::multiset<std::string>{"me", "m0"}));
  EXPECT_EQ(responses, (std::multiset<std::string>{"m0", "m1", "m2"}));

  // A query of another node, with relays that all lanes choose.
  Query query = load_query();
  query.relay_factor = 6;
  query.flags |= Query::flag_no_broadcast;
  node.receive(2, query_datagram(query));
  std::multiset<Endpoint> through;
  for (const auto& [to, message] : serf_messages(node.take_packets(), SerfType::relay)) {
    through.insert(to);
  }
  EXPECT_GE(through.size(), 4u);
  EXPECT_LE(through.size(), 6u);
  EXPECT_EQ(std::set(through.begin(), through.end()).size(), through.size());
}

}  // namespace
}  // namespace starling::test
