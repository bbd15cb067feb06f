#include "agent/rpc_session.h"

#include <algorithm>
#include <array>

#include "agent/event_loop.h"
#include "agent/go_text.h"
#include "agent/member_filter.h"

namespace starling::agent {
namespace {

struct CommandText {
  std::string_view name;
  bool has_body;
};
constexpr std::array<CommandText, 25> commands{
    {{"handshake", true},        {"auth", true},        {"event", true},
     {"force-leave", true},      {"join", true},        {"members", false},
     {"members-filtered", true}, {"query", true},       {"respond", true},
     {"stream", true},           {"monitor", true},     {"stop", true},
     {"leave", false},           {"tags", true},        {"host-member", true},
     {"unhost-member", true},    {"member-tags", true}, {"hosted", false},
     {"install-key", true},      {"use-key", true},     {"remove-key", true},
     {"list-keys", false},       {"stats", false},      {"get-coordinate", true},
     {"explain", true}}};

}  // namespace

RpcSession::~RpcSession() {
  forget_queries();
  if (monitor_ != 0) backend_.log->forget(monitor_);
}

bool RpcSession::may_log(std::string_view kind) const {
  return backend_.limiter == nullptr || backend_.limiter->admit(kind, EventLoop::now());
}

void RpcSession::receive(std::string_view bytes) {
  if (closing_) return;
  input_.append(bytes);
  process();
}

void RpcSession::sent(std::size_t bytes) {
  output_sent_ += bytes;
  if (output_sent_ == output_.size()) {
    output_.clear();
    output_sent_ = 0;
    if (dropped_ > 0) {
      const std::uint64_t dropped = std::exchange(dropped_, 0);
      if (may_log("rpc-slow-client")) {
        backend_.log->warn("agent.ipc: client {} is slow, {} records were dropped", peer_, dropped);
      }
    }
  } else if (output_sent_ >= output_bytes_max) {
    output_.erase(0, output_sent_);
    output_sent_ = 0;
  }
  if (listing_) continue_listing();
  process();
}

void RpcSession::close(std::string_view why) {
  if (closing_) return;
  closing_ = true;
  streams_.clear();
  forget_queries();
  if (monitor_ != 0) backend_.log->forget(std::exchange(monitor_, 0));
  if (!why.empty() && may_log("rpc-client-closed")) {
    backend_.log->err("agent.ipc: closing client {}: {}", peer_, why);
  }
  on_output_();
}

void RpcSession::process() {
  if (processing_) return;
  processing_ = true;
  while (!busy() && !closing_) {
    const auto taken = scanner_.scan(as_bytes(input_).subspan(scanned_));
    if (!taken) {
      close("failed to decode request: " + std::string(to_text(taken.error().fault)));
      break;
    }
    scanned_ += *taken;
    if (scanned_ > backend_.request_bytes_max) {
      close(fmt::format("request exceeds limit of {} bytes", backend_.request_bytes_max));
      break;
    }
    if (!scanner_.complete()) break;
    const std::string value = input_.substr(0, scanned_);
    input_.erase(0, scanned_);
    scanned_ = 0;
    scanner_.reset();
    if (awaiting_body_) {
      awaiting_body_ = false;
      execute(value);
    } else {
      on_header(value);
    }
    if (!awaiting_body_) ++requests_taken_;
  }
  processing_ = false;
}

void RpcSession::on_header(std::string_view value) {
  if (const auto decoded = decode_into(as_bytes(value), header_); !decoded) {
    close("failed to decode request header: " + std::string(to_text(decoded.error().fault)));
    return;
  }
  if (backend_.count) backend_.count("agent.ipc.command");
  const bool greeting = header_.command == "handshake";
  if (!handshaken_ && !greeting) {
    respond("Handshake required");
    close("no handshake");
    return;
  }
  // The body of a refused request is read as the next header, as Serf does: the client sees the
  // same error twice.
  if (!backend_.auth_token.empty() && !authenticated_ && !greeting && header_.command != "auth") {
    if (may_log("rpc-not-authenticated")) {
      backend_.log->warn("agent.ipc: client {} is not authenticated", peer_);
    }
    respond("Authentication required");
    return;
  }
  const auto command = std::ranges::find(commands, header_.command, &CommandText::name);
  if (command == commands.end()) {
    respond("Unsupported command");
    close("command " + go_quote(header_.command) + " not recognized");
    return;
  }
  if (command->has_body) {
    awaiting_body_ = true;
  } else {
    execute({});
  }
}

template <class Request, class Execute>
void RpcSession::with_body(std::string_view body, Execute&& execute) {
  Request request;
  if (const auto decoded = decode_into(as_bytes(body), request); !decoded) {
    const WireError& error = decoded.error();
    close(fmt::format("failed to decode {} request, field {}: {}", header_.command,
                      go_quote(error.field), to_text(error.fault)));
    return;
  }
  execute(request);
}

// Ends a pending request with respond(session, results...), unless the client has gone.
template <class Respond>
auto RpcSession::later(Respond respond) {
  pending_ = true;
  return [weak = weak_from_this(), respond](const auto&... results) {
    const std::shared_ptr<RpcSession> session = weak.lock();
    if (!session || session->closing_) return;
    respond(*session, results...);
    session->pending_ = false;
    session->on_output_();
    session->process();
  };
}

RpcBackend::Done RpcSession::begin() {
  return later([](RpcSession& session, const std::string& error) { session.respond(error); });
}

void RpcSession::execute(std::string_view body) {
  const std::string& command = header_.command;
  if (command == "handshake") {
    with_body<HandshakeRequest>(body, [&](const auto& request) { handshake(request); });
  } else if (command == "auth") {
    with_body<AuthRequest>(body, [&](const auto& request) { auth(request); });
  } else if (command == "event") {
    with_body<EventRequest>(body, [&](const auto& request) { backend_.event(request, begin()); });
  } else if (command == "force-leave") {
    with_body<ForceLeaveRequest>(
        body, [&](const auto& request) { backend_.force_leave(request, begin()); });
  } else if (command == "join") {
    with_body<JoinRequest>(body, [&](const auto& request) { join(request); });
  } else if (command == "members") {
    answer_with(backend_.members->list());
  } else if (command == "members-filtered") {
    with_body<MembersFilteredRequest>(body, [&](const auto& r) { members_filtered(r); });
  } else if (command == "query") {
    with_body<QueryRequest>(body, [&](const auto& request) { query(request); });
  } else if (command == "respond") {
    with_body<RespondRequest>(body, [&](const auto& request) { answer(request); });
  } else if (command == "stream") {
    with_body<StreamRequest>(body, [&](const auto& request) { stream(request); });
  } else if (command == "monitor") {
    with_body<MonitorRequest>(body, [&](const auto& request) { monitor(request); });
  } else if (command == "get-coordinate") {
    with_body<CoordinateRequest>(body, [&](const auto& request) { coordinate(request); });
  } else if (command == "explain") {
    with_body<ExplainRequest>(body, [&](const auto& request) { explain(request); });
  } else if (command == "stop") {
    with_body<StopRequest>(body, [&](const auto& request) { stop(request); });
  } else if (command == "leave") {
    backend_.log->told("leave").info("agent.ipc: Graceful leave triggered");
    backend_.leave(begin());
  } else if (command == "tags") {
    with_body<TagsRequest>(body, [&](const auto& request) { backend_.tags(request, begin()); });
  } else if (command == "host-member") {
    with_body<HostMemberRequest>(
        body, [&](const auto& request) { backend_.host_member(request, begin()); });
  } else if (command == "unhost-member") {
    with_body<UnhostMemberRequest>(
        body, [&](const auto& request) { backend_.unhost_member(request, begin()); });
  } else if (command == "member-tags") {
    with_body<MemberTagsRequest>(
        body, [&](const auto& request) { backend_.member_tags(request, begin()); });
  } else if (command == "hosted") {
    answer_with(backend_.members->list(
        [&](const MemberView& member) { return backend_.hosts(member.name); }));
  } else if (command == "list-keys") {
    backend_.list_keys(keys_done());
  } else if (key_change_from(command)) {
    with_body<KeyRequestBody>(body, [&](const auto& request) { change_keys(request); });
  } else {
    stats();
  }
}

void RpcSession::respond(std::string_view error) {
  append(output_, ResponseHeader{.error = std::string(error), .sequence = header_.sequence});
  on_output_();
}

void RpcSession::handshake(const HandshakeRequest& request) {
  if (handshaken_) return respond("Handshake already performed");
  if (request.version != 1) return respond("Unsupported IPC version");
  handshaken_ = true;
  respond("");
}

void RpcSession::auth(const AuthRequest& request) {
  if (!pace_.hold) return compare_token(request.key);
  pace_.hold(later([key = request.key](RpcSession& session) { session.compare_token(key); }));
}

void RpcSession::compare_token(std::string_view key) {
  // Every byte is looked at, so that the time does not tell how much was right.
  const std::string& token = backend_.auth_token;
  unsigned difference = key.size() == token.size() ? 0 : 1;
  for (std::size_t i = 0; i < std::min(key.size(), token.size()); ++i) {
    difference |= static_cast<unsigned char>(key[i] ^ token[i]);
  }
  if (difference != 0) {
    if (may_log("rpc-wrong-token")) {
      backend_.log->warn("agent.ipc: client {} has a wrong token", peer_);
    }
    return respond("Invalid authentication token");
  }
  if (pace_.right) pace_.right();
  authenticated_ = true;
  respond("");
}

void RpcSession::members_filtered(const MembersFilteredRequest& request) {
  auto filter = MemberFilter::from(request);
  if (!filter) return close("failed to compile a members-filtered expression");
  answer_with(
      backend_.members->list([&](const MemberView& member) { return filter->matches(member); }));
}

void RpcSession::answer_with(MembersMirror::Listing listing) {
  append(output_, ResponseHeader{.error = "", .sequence = header_.sequence});
  append_members_header(output_, listing.size());
  listing_ = std::move(listing);
  continue_listing();
}

// Encodes members until so many bytes of the list wait.
void RpcSession::continue_listing() {
  if (closing_) return;
  if (listing_->lost()) {
    listing_.reset();
    return close("too slow: the member list changed too much while it was sent");
  }
  if (output().size() >= listing_bytes_max / 2) return;
  output_.erase(0, std::exchange(output_sent_, 0));
  while (listing_->left() > 0 && output_.size() < listing_bytes_max) {
    append_member(output_, listing_->next());
  }
  if (listing_->left() == 0) {
    listing_.reset();
    output_ += std::exchange(held_back_, {});
  }
  on_output_();
}

void RpcSession::join(const JoinRequest& request) {
  backend_.join(request,
                later([](RpcSession& session, std::size_t count, const std::string& error) {
                  session.respond(error);
                  append_join_count(session.output_, count);
                }));
}

RpcBackend::KeysDone RpcSession::keys_done() {
  return later([](RpcSession& session, const KeyOutcome& outcome, const std::string& error) {
    session.respond(error);
    append(session.output_, outcome);
  });
}

void RpcSession::change_keys(const KeyRequestBody& request) {
  backend_.change_keys(*key_change_from(header_.command), request.key, keys_done());
}

void RpcSession::stats() {
  backend_.stats(later([](RpcSession& session, const Stats& stats) {
    session.respond("");
    append_stats(session.output_, stats);
  }));
}

void RpcSession::coordinate(const CoordinateRequest& request) {
  backend_.coordinate(request,
                      later([](RpcSession& session, const std::optional<Coordinate>& known) {
                        session.respond("");
                        append_coordinate(session.output_, known);
                      }));
}

void RpcSession::explain(const ExplainRequest& request) {
  backend_.explain(request,
                   later([](RpcSession& session, const Stats& answer, const std::string& error) {
                     session.respond(error);
                     append_stats(session.output_, answer);
                   }));
}

void RpcSession::stream(const StreamRequest& request) {
  std::vector<EventFilter> filters = parse_event_filters(request.type);
  if (filters.size() > stream_filters_max || !std::ranges::all_of(filters, &EventFilter::valid)) {
    return respond("Invalid event filter");
  }
  const std::uint64_t sequence = header_.sequence;
  if (std::ranges::find(streams_, sequence, &Stream::sequence) != streams_.end()) {
    return respond("Stream with given sequence exists");
  }
  if (streams_.size() >= streams_max) return respond("Too many streams");
  respond("");
  streams_.push_back({sequence, std::move(filters)});
}

void RpcSession::monitor(const MonitorRequest& request) {
  const auto level = log_level_from(request.log_level);
  if (!level) return respond("Unknown log level: " + to_upper(request.log_level));
  if (monitor_ != 0) return respond("Monitor already exists");
  respond("");
  monitor_sequence_ = header_.sequence;
  const auto show = [this, level = *level](const LogLine& line) {
    if (line.level < level) return;
    add_record(monitor_sequence_, [&](std::string& out) { append_log_record(out, line.text); });
  };
  for (const LogLine& line : backend_.log->ring()) show(line);
  monitor_ = backend_.log->listen(show);
}

void RpcSession::stop(const StopRequest& request) {
  if (monitor_ != 0 && request.stop == monitor_sequence_) {
    backend_.log->forget(std::exchange(monitor_, 0));
  }
  std::erase_if(streams_, [&](const Stream& stream) { return stream.sequence == request.stop; });
  respond("");
}

void RpcSession::query(const QueryRequest& request) {
  const std::uint64_t sequence = header_.sequence;
  const std::uint64_t number = ++last_query_;
  const auto record = [weak = weak_from_this(), sequence](QueryRecord what) {
    if (const auto session = weak.lock()) session->add_query_record(sequence, what);
  };
  QueryCallbacks callbacks;
  callbacks.on_ack = [record](std::string_view from) {
    record({.from = std::string(from), .payload = {}, .type = "ack"});
  };
  callbacks.on_response = [record](std::string_view from, std::string_view payload) {
    record({.from = std::string(from), .payload = std::string(payload), .type = "response"});
  };
  callbacks.on_done = [weak = weak_from_this(), number, record] {
    if (const auto session = weak.lock()) session->queries_.erase(number);
    record({.from = {}, .payload = {}, .type = "done"});
  };
  queries_.emplace(number, QueryTicket{});
  const QueryTicket ticket = backend_.query(
      request, std::move(callbacks), later([number](RpcSession& session, const std::string& error) {
        if (!error.empty()) session.queries_.erase(number);
        session.respond(error);
      }));
  if (const auto at = queries_.find(number); at != queries_.end()) at->second = ticket;
}

void RpcSession::add_query_record(std::uint64_t sequence, const QueryRecord& record) {
  add_record(sequence, [&](std::string& out) { append(out, record); });
}

void RpcSession::forget_queries() {
  for (const auto& [number, ticket] : std::exchange(queries_, {})) backend_.forget_query(ticket);
}

void RpcSession::answer(const RespondRequest& request) {
  const auto at = shown_.find(request.id);
  if (at == shown_.end() || at->second.deadline < EventLoop::now()) {
    return respond("No pending queries matching ID");
  }
  backend_.respond(at->second.query, request.payload.value_or(""), begin());
}

// Each stream that shows a query gives it a number of its own, as Serf's do.
void RpcSession::show_query(const Stream& stream, const HandlerEvent& event) {
  const Instant now = EventLoop::now();
  std::erase_if(shown_, [&](const auto& entry) { return entry.second.deadline < now; });
  if (shown_.size() >= answerable_max) shown_.erase(shown_.begin());
  shown_[++last_shown_] = {event.query, event.deadline};
  add_record(stream.sequence, [&](std::string& out) {
    append(out, QueryEventRecord{.id = last_shown_,
                                 .time = to_number(event.time),
                                 .name = event.name,
                                 .payload = event.payload});
  });
}

void RpcSession::add_record(std::uint64_t sequence,
                            const std::function<void(std::string&)>& append_body) {
  if (closing_) return;
  if (output().size() + held_back_.size() >= output_bytes_max) {
    ++dropped_;
    return;
  }
  std::string& out = listing_ ? held_back_ : output_;
  append(out, ResponseHeader{.error = "", .sequence = sequence});
  append_body(out);
  on_output_();
}

void RpcSession::publish(const HandlerEvent& event, bool coalesce) {
  for (const Stream& stream : streams_) {
    const bool wanted = std::ranges::any_of(stream.filters, [&](const EventFilter& filter) {
      return filter.matches(event.kind_text(), event.name);
    });
    if (!wanted) continue;
    if (event.kind == HandlerEvent::Kind::query) {
      show_query(stream, event);
      continue;
    }
    add_record(stream.sequence, [&](std::string& out) {
      if (event.kind == HandlerEvent::Kind::member) {
        append(out, MemberEventRecord{.event = std::string(event.kind_text()),
                                      .members = event.members});
      } else {
        append(out, UserEventRecord{.time = to_number(event.time),
                                    .name = event.name,
                                    .payload = event.payload,
                                    .coalesce = coalesce});
      }
    });
  }
}

}  // namespace starling::agent
