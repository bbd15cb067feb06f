#include "agent/query_desk.h"

#include <utility>

#include "agent/command_error.h"
#include "agent/query_filters.h"
#include "agent/tag_sets.h"
#include "core/serf/query_filter.h"

namespace starling::agent {

namespace {

constexpr int query_protocol_min = 4;
// Whatever the limits say, no query is longer than this; the ring need not carry what is refused.
constexpr std::size_t parts_bytes_max = 32'768;

std::string with_prefix(const std::string& error) {
  return error.empty() ? error : "failed to respond to key query: " + error;
}

// The elements of Query::filters; nullopt when they are longer than any query may be.
std::optional<std::pair<std::string, std::uint32_t>> encode_filters(const QueryParams& params) {
  const std::vector<std::string_view> names(params.nodes.begin(), params.nodes.end());
  std::vector<TagFilter> tags;
  for (const auto& [tag, expression] : params.tags) tags.push_back({tag, expression});
  std::string room(parts_bytes_max, '\0'), scratch(parts_bytes_max, '\0');
  Writer out{std::as_writable_bytes(std::span(room))};
  const auto count = write_filters(names, tags, out, std::as_writable_bytes(std::span(scratch)));
  if (!count) return std::nullopt;
  room.resize(out.size());
  return std::pair(std::move(room), *count);
}

}  // namespace

std::string problem_with_name(const QueryParams& params) {
  if (!params.name.starts_with(internal_query_prefix)) return "";
  const bool is_ping = params.name == std::string(internal_query_prefix) + "ping";
  if (is_ping && params.payload.empty()) return "";
  return "Queries cannot contain the '" + std::string(internal_query_prefix) + "' prefix";
}

void QueryDesk::Responder::operator()(std::string payload, Done done) const {
  desk_->respond(number_, std::move(payload), std::move(done));
}

void QueryDesk::Responder::for_everybody(const std::string& payload) const {
  desk_->respond(number_, payload, {});
  for_hosted(payload);
}

void QueryDesk::Responder::for_hosted(const std::string& payload, std::string_view but) const {
  for (std::string& name : desk_->hosted()) {
    if (name != but) desk_->respond(number_, payload, {}, std::move(name));
  }
}

bool QueryDesk::Responder::fits(std::size_t payload_bytes) const {
  const std::size_t limit = desk_->options_.response_bytes_max;
  if (payload_bytes > limit) return false;
  std::string longest = desk_->options_.own_name;
  for (std::string& name : desk_->hosted()) {
    if (name.size() > longest.size()) longest = std::move(name);
  }
  const std::string payload(payload_bytes, 'x');
  std::string room(limit + 1, '\0');
  Writer out{std::as_writable_bytes(std::span(room))};
  encode(
      QueryResponse{
          .time = time_, .id = id_, .from = longest, .flags = 0, .payload = as_bytes(payload)},
      out);
  return out.ok() && out.size() <= limit;
}

QueryDesk::QueryDesk(EngineHost& engine, const MembersMirror& members, Log& log, Options options,
                     std::function<void(SeenQuery)> on_query)
    : engine_(engine),
      members_(members),
      log_(log),
      options_(std::move(options)),
      on_query_(std::move(on_query)) {}

QueryTicket QueryDesk::ask(QueryParams params, QueryCallbacks callbacks, Done asked) {
  const auto refuse = [&](const std::string& error) {
    if (asked) asked(error);
    return QueryTicket{};
  };
  if (options_.protocol < query_protocol_min) return refuse("Feature not supported");
  auto filters = encode_filters(params);
  if (!filters || params.name.size() + params.payload.size() > parts_bytes_max) {
    return refuse("query exceeds limit of " + std::to_string(options_.query_bytes_max) + " bytes");
  }
  OwnedCommand command;
  command.command.kind = Command::Kind::query;
  command.command.timeout = params.timeout;
  command.command.want_acks = params.want_acks;
  command.command.relay_factor = params.relay_factor;
  command.command.filter_count = filters->second;
  command.filters = std::move(filters->first);
  command.name = std::move(params.name);
  command.payload = std::move(params.payload);
  const auto ticket = std::make_shared<QueryTicket>();
  *ticket = engine_.send(std::move(command),
                         [this, ticket, asked = std::move(asked)](const Event& answer) {
                           const std::string error = command_error(answer, "");
                           if (!error.empty()) open_.erase(*ticket);
                           if (asked) asked(error);
                         });
  open_.emplace(*ticket, std::move(callbacks));
  return *ticket;
}

void QueryDesk::forget(QueryTicket ticket) {
  open_.erase(ticket);
}

std::vector<std::string> QueryDesk::hosted() const {
  return options_.hosted ? options_.hosted() : std::vector<std::string>{};
}

void QueryDesk::respond(std::uint64_t number, std::string payload, Done done, std::string member) {
  if (payload.size() > options_.response_bytes_max) {
    if (done) {
      done(with_prefix("response exceeds limit of " + std::to_string(options_.response_bytes_max) +
                       " bytes"));
    }
    return;
  }
  OwnedCommand command;
  command.command.kind = Command::Kind::respond;
  command.command.query = number;
  command.name = std::move(member);
  command.payload = std::move(payload);
  engine_.send(std::move(command), [done = std::move(done)](const Event& answer) {
    if (done) done(with_prefix(command_error(answer, "")));
  });
}

void QueryDesk::on_internal(std::string name, InternalResponder responder) {
  internal_[std::move(name)] = std::move(responder);
}

void QueryDesk::on_event(const Event& event) {
  if (event.kind == Event::Kind::query) return on_seen(event);
  const auto at = open_.find(event.token);
  if (at == open_.end()) return;
  // Copies and moves, because a callback may forget the query.
  if (event.kind == Event::Kind::query_ack) {
    if (const auto on_ack = at->second.on_ack) on_ack(event.from);
  } else if (event.kind == Event::Kind::query_response) {
    if (const auto on_response = at->second.on_response) {
      on_response(event.from, as_text(event.payload));
    }
  } else if (event.kind == Event::Kind::query_done) {
    const auto on_done = std::move(at->second.on_done);
    open_.erase(at);
    if (on_done) on_done();
  }
}

bool QueryDesk::judge_filters(const Event& event) {
  const BytesList filters(event.filters, event.filter_count);
  const auto let = [&](std::string_view name) {
    const std::optional<MemberView> member = members_.find(name);
    std::string problem;
    const bool matches =
        filters_let(filters, name, member ? decode_tags(member->tags) : Tags{}, &problem);
    if (!problem.empty()) log_.refused("query-filter").warn("serf: {}", problem);
    if (!matches || (event.flags & Query::flag_ack) == 0) return matches;
    OwnedCommand command;
    command.command.kind = Command::Kind::acknowledge;
    command.command.query = event.number;
    command.name = name;
    engine_.send(std::move(command), [](const Event&) {});
    return matches;
  };
  for (const std::string& name : hosted()) let(name);
  return let(options_.own_name);
}

void QueryDesk::on_seen(const Event& event) {
  if (event.filter_count > 0 && !judge_filters(event)) return;
  SeenQuery query{.number = event.number,
                  .time = event.time,
                  .id = event.id,
                  .source = event.endpoint,
                  .source_node = std::string(event.from),
                  .deadline = event.deadline,
                  .name = std::string(event.name),
                  .payload = std::string(as_text(event.payload)),
                  .flags = event.flags};
  if (!query.name.starts_with(internal_query_prefix)) return on_query_(std::move(query));
  if (query.name == "_serf_ping") return;  // the ack is the answer
  const auto responder = internal_.find(query.name);
  if (responder == internal_.end()) {
    log_.refused("query-unhandled")
        .warn("serf: Unhandled internal query '{}'",
              std::string_view(query.name).substr(internal_query_prefix.size()));
    return;
  }
  const Responder answer(*this, query);
  responder->second(query, answer);
}

}  // namespace starling::agent
