#include "core/shard/query_turn.h"

#include <algorithm>
#include <charconv>

#include "core/serf/query_filter.h"
#include "core/shard/broadcast.h"
#include "core/shard/route.h"
#include "core/shard/serf_turn.h"
#include "core/swim/scaling.h"

namespace starling {

namespace {

// A query that asks for more is kept so long; nobody waits for a year, and the sum stays in range.
constexpr Duration timeout_max = std::chrono::hours(24 * 365);
// Members of older memberlist versions do not know relayed messages.
constexpr std::uint8_t relay_protocol_min = 5;
constexpr std::size_t relays_max = 255;
// As PeerList::sample: enough draws while one member in a thousand will do.
constexpr std::uint64_t relay_draws_max = 16'384;
// When the owner has no room for the end of a query, it hears of it this much later.
constexpr Duration retry_after = std::chrono::milliseconds(100);

Duration timeout_of(std::int64_t nanoseconds) {
  return std::clamp(Duration(nanoseconds), Duration(-1), timeout_max);
}

// "query exceeds limit of 1024 bytes" and the like, on the stack.
class LimitSentence {
 public:
  LimitSentence(std::string_view subject, std::size_t limit) {
    append(subject);
    append(" exceeds limit of ");
    const auto number = std::to_chars(text_.data() + size_, text_.data() + text_.size(), limit);
    size_ = static_cast<std::size_t>(number.ptr - text_.data());
    append(" bytes");
  }
  std::string_view text() const { return {text_.data(), size_}; }

 private:
  void append(std::string_view part) {
    size_ += part.copy(text_.data() + size_, text_.size() - size_);
  }
  std::array<char, 96> text_;
  std::size_t size_ = 0;
};

// The member that answers for the engine; nullptr when none is left.
Hosted* first_member(Node& node) {
  if (node.hosted.end() > 0 && node.hosted.at(0).used) return &node.hosted.at(0);
  return node.hosted.speaker();
}

bool has_answered(const Hosted& member, std::uint64_t query) {
  return std::ranges::find(member.answered, query) != member.answered.end();
}

void note_answered(Hosted& member, std::uint64_t query) {
  std::ranges::rotate(member.answered, member.answered.end() - 1);
  member.answered.front() = query;
}

// ---- relays -------------------------------------------------------------------------------------

// Up to `wanted` different members that may relay, drawn at random.
std::size_t draw_relays(Node& node, std::span<Slot> chosen, std::size_t wanted) {
  const std::uint32_t peers = node.peers.size();
  const std::uint64_t draws = std::min<std::uint64_t>(std::uint64_t{3} * peers, relay_draws_max);
  wanted = std::min(wanted, chosen.size());
  std::size_t found = 0;
  for (std::uint64_t draw = 0; draw < draws && found < wanted; ++draw) {
    const Slot slot = node.peers.at(node.rng.below(peers));
    const std::span<const Slot> before = chosen.first(found);
    if (node.serf.status(slot) != MemberStatus::alive || node.is_self(slot) ||
        node.members.versions(slot).protocol_max < relay_protocol_min ||
        std::find(before.begin(), before.end(), slot) != before.end()) {
      continue;
    }
    chosen[found++] = slot;
  }
  return found;
}

void send_to_relays(Node& node, Bytes message, std::size_t wanted) {
  std::array<Slot, relays_max> chosen;
  const std::size_t count = draw_relays(node, chosen, wanted);
  for (const Slot slot : std::span(chosen).first(count)) {
    send_user_message(node, node.members.endpoint(slot), message);
  }
}

void relay_over_all_lanes(Node& node, Bytes message, std::size_t wanted) {
  const auto share = node.view->deal(&LaneView::live_others, node.rng, wanted);
  for (std::uint32_t i = 0; i < node.lanes; ++i) {
    const ShardId lane{static_cast<std::uint8_t>(i)};
    if (share[i] == 0) continue;
    if (lane == node.id) {
      send_to_relays(node, message, share[i]);
    } else {
      post(node, lane, {.kind = MailKind::answer_relays, .number = share[i], .bytes = message});
    }
  }
}

// Where an answer goes and what to call its receiver.
struct Asker {
  Endpoint endpoint;
  std::string_view name;
  std::uint8_t relay_factor = 0;
};

// False: the message around the answer is too long, so that nothing was relayed.
bool relay_answer(Node& node, const Asker& asker, Bytes answer) {
  if (asker.relay_factor == 0) return true;
  if (node.serf_total() < std::uint32_t{asker.relay_factor} + 1) return true;  // not worth it
  Writer out(node.packet_scratch);
  encode_relay_header({.address = asker.endpoint.address.bytes(),
                       .port = asker.endpoint.port,
                       .zone = {},
                       .node = asker.name,
                       .inner = {}},
                      out, SignedStyle::unsigned_form);
  out.put(answer);
  if (!out.ok() || out.size() > node.options.serf.query_response_bytes_max) return false;
  if (node.alone()) {
    send_to_relays(node, out.written(), asker.relay_factor);
  } else {
    relay_over_all_lanes(node, out.written(), asker.relay_factor);
  }
  return true;
}

// ---- answers ------------------------------------------------------------------------------------

// Straight to the asker; to ourselves without a packet.
void send_answer(Node& node, Instant now, const Asker& asker, const QueryResponse& answer,
                 Bytes encoded) {
  ++node.counters.query_answers_sent;
  const Hosted* const self = first_member(node);
  if (self != nullptr && self->advertise == asker.endpoint) {
    const OpenQuery* const own = node.open_queries.find(answer.time);
    if (own != nullptr && own->id == answer.id) return apply_query_response(node, now, answer);
  }
  send_user_message(node, asker.endpoint, encoded);
}

void acknowledge(Node& node, Instant now, const Asker& asker, LamportTime time, std::uint32_t id,
                 std::string_view member) {
  if (asker.endpoint.address.empty()) return;
  std::array<std::byte, 1536> room;
  Writer out(room);
  const QueryResponse ack{
      .time = time, .id = id, .from = member, .flags = QueryResponse::flag_ack, .payload = {}};
  encode(ack, out);
  if (!out.ok()) return;
  send_answer(node, now, asker, ack, out.written());
  relay_answer(node, asker, out.written());
}

// ---- queries seen -------------------------------------------------------------------------------

// Whom a query is for, of the members hosted here.
struct Addressees {
  bool first = false;    // the one who answers
  bool by_tags = false;  // somebody, if their tags fit
};

Addressees acknowledge_all(Node& node, Instant now, const Query& query, const Asker& asker) {
  Addressees to;
  const Hosted* const first = first_member(node);
  // Every hosted member is asked; a turn has a bounded number of packets, the rest is lost.
  node.hosted.for_each([&](Hosted& member) {
    const std::string_view name = node.hosted.name(member);
    switch (judge_filters(query.filters, name)) {
      case FilterMatch::no:
        return;
      case FilterMatch::by_tags:
        to.by_tags = true;
        break;
      case FilterMatch::yes:
        if ((query.flags & Query::flag_ack) != 0) {
          acknowledge(node, now, asker, query.time, query.id, name);
        }
        break;
    }
    if (&member == first) to.first = true;
  });
  return to;
}

void report_query(Node& node, Instant now, const Query& query, const AnswerableQuery& noted,
                  bool by_tags) {
  Event event;
  event.kind = Event::Kind::query;
  event.at = now;
  event.number = noted.number;
  event.time = query.time;
  event.id = query.id;
  event.flags = query.flags;
  event.endpoint = noted.origin;
  event.from = query.source_node;
  event.deadline = noted.deadline;
  event.name = query.name;
  event.payload = query.payload;
  if (by_tags) {
    event.filters = query.filters.raw();
    event.filter_count = static_cast<std::uint32_t>(query.filters.size());
  }
  if (!node.report.send(event)) ++node.counters.queries_lost;
}

}  // namespace

bool apply_query(Node& node, Instant now, const Query& query) {
  if (node.queries.accept(query.time, query.id) != QueryBuffer::Verdict::fresh) return false;
  ++node.counters.queries_seen;
  node.report.trace(now, TraceKind::query_seen, {.name = query.name, .from = query.source_node},
                    node.counters);
  const Asker asker{.endpoint = {IpAddress(query.address), query.port},
                    .name = query.source_node,
                    .relay_factor = query.relay_factor};
  const Addressees to = acknowledge_all(node, now, query, asker);
  // With filters by tags the owner has to know even if only another hosted member may ack.
  if (to.first || to.by_tags) {
    const AnswerableQuery& noted =
        node.answerable.add({.time = query.time,
                             .id = query.id,
                             .origin = asker.endpoint,
                             .deadline = now + timeout_of(query.timeout_ns),
                             .relay_factor = query.relay_factor,
                             .filtered = query.filters.size() > 0},
                            query.source_node);
    report_query(node, now, query, noted, to.by_tags);
  } else {
    node.report.trace(now, TraceKind::query_for_others, {.name = query.name}, node.counters);
  }
  return (query.flags & Query::flag_no_broadcast) == 0;
}

void answer_query(Node& node, Instant now, const Command& command) {
  const auto refuse = [&](CommandResult result, std::string_view text = {}) {
    node.report.done(now, command.token, result, node.options.serf.query_response_bytes_max,
                     text.empty() ? to_text(result) : text);
  };
  AnswerableQuery* const query = node.answerable.find(command.query);
  Hosted* const self = command.name.empty() ? first_member(node) : node.hosted.find(command.name);
  if (query == nullptr) return refuse(CommandResult::too_late);
  if (self == nullptr) return refuse(CommandResult::not_hosted);
  // Which of the others a filter lets through is not remembered.
  const bool first = self == first_member(node);
  if (!first && query->filtered) {
    return refuse(CommandResult::refused, "the query is not for everybody");
  }
  const std::size_t limit = node.options.serf.query_response_bytes_max;
  const LimitSentence too_long("response", limit);
  if (command.payload.size() > limit) return refuse(CommandResult::too_large, too_long.text());
  const QueryResponse response{.time = query->time,
                               .id = query->id,
                               .from = node.hosted.name(*self),
                               .flags = 0,
                               .payload = command.payload};
  std::array<std::byte, 36'864> room;  // the largest limit, and a name
  Writer out(room);
  encode(response, out);
  if (!out.ok() || out.size() > limit) {
    return refuse(CommandResult::too_large, too_long.text());
  }
  if (first ? query->answered : has_answered(*self, query->number)) {
    return refuse(CommandResult::already_answered);
  }
  if (now > query->deadline) return refuse(CommandResult::too_late);
  if (first) {
    query->answered = true;
  } else {
    note_answered(*self, query->number);
  }
  const Asker asker{.endpoint = query->origin,
                    .name = node.answerable.source(*query),
                    .relay_factor = query->relay_factor};
  if (asker.endpoint.address.empty()) {
    return refuse(CommandResult::refused, "the query names no address to answer to");
  }
  send_answer(node, now, asker, response, out.written());
  if (!relay_answer(node, asker, out.written())) {
    return refuse(CommandResult::too_large, LimitSentence("relayed response", limit).text());
  }
  node.report.done(now, command.token, CommandResult::ok);
}

void acknowledge_query(Node& node, Instant now, const Command& command) {
  const AnswerableQuery* const query = node.answerable.find(command.query);
  if (query == nullptr) return node.report.done(now, command.token, CommandResult::too_late);
  if (node.hosted.find(command.name) == nullptr) {
    return node.report.done(now, command.token, CommandResult::not_hosted);
  }
  acknowledge(node, now,
              {.endpoint = query->origin,
               .name = node.answerable.source(*query),
               .relay_factor = query->relay_factor},
              query->time, query->id, command.name);
  node.report.done(now, command.token, CommandResult::ok);
}

// ---- our own queries ----------------------------------------------------------------------------

Duration default_query_timeout(const Node& node) {
  const std::uint32_t others = node.alone() ? node.live_others : node.view->live_others();
  return node.options.swim.gossip_interval *
         retransmit_limit(node.options.serf.query_timeout_mult, others + node.hosted.size());
}

void ask_query(Node& node, Instant now, const Command& command) {
  const Hosted* const self = first_member(node);
  if (self == nullptr) return node.report.done(now, command.token, CommandResult::not_alive);
  const std::size_t limit = node.options.serf.query_bytes_max;
  const Duration timeout = command.timeout.count() > 0 ? std::min(command.timeout, timeout_max)
                                                       : default_query_timeout(node);
  const Query query{.time = node.queries.time(),
                    .id = node.rng.below(1u << 31),
                    .address = self->advertise.address.bytes(),
                    .port = self->advertise.port,
                    .source_node = node.hosted.name(*self),
                    .filters = BytesList(command.filters, command.filter_count),
                    .flags = command.flags | (command.want_acks ? Query::flag_ack : 0),
                    .relay_factor = command.relay_factor,
                    .timeout_ns = timeout.count(),
                    .name = command.name,
                    .payload = command.payload};
  Writer out(node.packet_scratch);
  encode(query, out, SignedStyle::unsigned_form);
  if (!out.ok() || out.size() > limit) {
    return node.report.done(now, command.token, CommandResult::too_large, limit,
                            LimitSentence("query", limit).text());
  }
  const OpenQuery* const open = node.open_queries.open({.want_acks = command.want_acks,
                                                        .id = query.id,
                                                        .time = query.time,
                                                        .token = command.token,
                                                        .deadline = now + timeout});
  if (open == nullptr) {
    return node.report.done(now, command.token, CommandResult::no_capacity,
                            node.options.capacity.open_queries_max, "too many queries are open");
  }
  ++node.counters.queries_asked;
  node.wheel.arm(node.query_timer(open->place), open->deadline);
  broadcast_serf(node, SerfQueue::queries, out.written());
  // Before the first answer, which may be our own.
  node.report.done(now, command.token, CommandResult::ok);
  apply_query(node, now, query);
}

namespace {

void report_stray(Node& node, Instant now, const QueryResponse& response, std::string_view why) {
  ++node.counters.query_answers_stray;
  node.report.trace(now, TraceKind::answer_stray,
                    {.from = response.from, .number = to_number(response.time), .text = why},
                    node.counters);
}

}  // namespace

void apply_query_response(Node& node, Instant now, const QueryResponse& response) {
  node.report.trace(now, TraceKind::answer_seen, {.from = response.from}, node.counters);
  OpenQuery* const query = node.open_queries.find(response.time);
  if (query == nullptr) return report_stray(node, now, response, "reply for non-running query");
  if (query->id != response.id) return report_stray(node, now, response, "query reply ID mismatch");
  if (now > query->deadline) return;
  const bool is_ack = (response.flags & QueryResponse::flag_ack) != 0;
  if (is_ack && !query->want_acks) return;
  const AnswerKind kind = is_ack ? AnswerKind::ack : AnswerKind::response;
  switch (node.open_queries.note(*query, kind, hash_name(response.from))) {
    case OpenQueries::Verdict::duplicate:
      ++(is_ack ? node.counters.query_acks_duplicate : node.counters.query_responses_duplicate);
      return;
    case OpenQueries::Verdict::no_space:
      ++node.counters.query_answers_lost;
      return;
    case OpenQueries::Verdict::fresh:
      break;
  }
  ++(is_ack ? node.counters.query_acks : node.counters.query_responses);
  Event event;
  event.kind = is_ack ? Event::Kind::query_ack : Event::Kind::query_response;
  event.at = now;
  event.token = query->token;
  event.from = response.from;
  event.payload = response.payload;
  if (!node.report.send(event)) ++node.counters.query_answers_lost;
}

void query_due(Node& node, Instant now, std::uint32_t place) {
  OpenQuery& query = node.open_queries.at(place);
  if (!query.used) return;
  Event event;
  event.kind = Event::Kind::query_done;
  event.at = now;
  event.token = query.token;
  // Must get through: somebody waits for it.
  if (query.token != 0 && !node.report.send(event)) {
    return node.wheel.arm(node.query_timer(place), now + retry_after);
  }
  node.open_queries.close(query);
}

void apply_relay(Node& node, Instant now, const Relay& relay) {
  const Endpoint to{IpAddress(relay.address), static_cast<std::uint16_t>(relay.port)};
  const bool sendable = relay.port > 0 && relay.port <= 65535 && !relay.inner.empty() &&
                        relay.inner.size() <= node.options.swim.udp_buffer_bytes;
  if (to.address.empty() || !sendable) {
    ++node.counters.messages_dropped;
    return node.report.trace(
        now, TraceKind::message_dropped,
        {.endpoint = to,
         .error = {.layer = "relay", .field = "DestAddr", .fault = WireFault::malformed}},
        node.counters);
  }
  ++node.counters.query_answers_relayed;
  node.report.trace(now, TraceKind::answer_relayed, {.endpoint = to}, node.counters);
  send_user_message(node, to, relay.inner);
}

void relay_answer_for(Node& node, const Mail& mail) {
  send_to_relays(node, mail.bytes, mail.number);
}

}  // namespace starling
