#include "core/shard/stream_turn.h"

#include <algorithm>
#include <cerrno>

#include "core/base/source.h"
#include "core/shard/image_gather.h"
#include "core/shard/merge.h"
#include "core/shard/probe_turn.h"
#include "core/shard/push_pull_image.h"
#include "core/shard/route.h"
#include "core/shard/send.h"
#include "core/shard/serf_turn.h"
#include "core/shard/stream_room.h"
#include "core/shard/sync_turn.h"
#include "core/swim/scaling.h"

namespace starling {

namespace {

void arm_deadline(Node& node, Session& session, Instant due) {
  session.due = due;
  node.wheel.arm(node.session_timer(node.sessions.index_of(session)), due);
}

// Frees a session; `op` says how its stream goes.
void end(Node& node, Session& session, std::optional<StreamOp::Kind> op) {
  node.wheel.cancel(node.session_timer(node.sessions.index_of(session)));
  if (op) node.out.stream({.kind = *op, .stream = session.id, .to = {}, .bytes = {}});
  node.sessions.release(session);
}

void write(Node& node, Session& session, Bytes bytes) {
  session.writing = true;
  ++node.counters.stream_messages_out;
  node.counters.stream_bytes_out += bytes.size();
  node.out.stream(
      {.kind = StreamOp::Kind::write, .stream = session.id, .to = session.peer, .bytes = bytes});
}

// Wraps `message` for the stream into `room`. Empty when it does not fit.
Bytes wrap(Node& node, Bytes message, bool dialled, MutableBytes room) {
  const Nonce nonce = node.next_nonce();
  const std::size_t bytes =
      node.wrapper.stream(message, dialled, node.options.capacity.stream_compress_bytes_max,
                          node.policy, node.cipher, nonce, node.sessions.compress_room(), room);
  return Bytes(room).first(bytes);
}

template <class Message>
Bytes wrap_small(Node& node, Session& session, const Message& message, bool dialled) {
  std::array<std::byte, 2048> plain;
  Writer out(plain);
  encode(message, out);
  if (!out.ok()) return {};
  return wrap(node, out.written(), dialled, session.small);
}

// Our state, wrapped, in a lent image; empty when every image is in use or it does not fit.
Bytes wrap_state(Node& node, Session& session, const StateWish& wish, bool dialled) {
  const MutableBytes room = node.sessions.lend_image(session);
  if (room.empty()) return {};
  const Bytes message = build_push_pull(node, wish, node.sessions.message_room());
  if (message.empty()) return {};
  return wrap(node, message, dialled, room);
}

void note_ended_push_pull(Node& node, Instant now, const Session& session) {
  ++node.counters.push_pulls_ended;
  node.counters.push_pull_nanoseconds +=
      static_cast<std::uint64_t>((now - session.started).count());
}

struct Failure {
  CommandResult result = CommandResult::refused;
  std::uint64_t number = 0;
  std::string_view text = {};
  WireError error = {};
};

// A session that ends without what it was for.
void fail(Node& node, Instant now, Session& session, const Failure& failure,
          std::optional<StreamOp::Kind> op) {
  ++node.counters.streams_failed;
  const std::string_view text = failure.text.empty() ? to_text(failure.result) : failure.text;
  node.report.trace(
      now, TraceKind::stream_failed,
      {.endpoint = session.peer, .number = failure.number, .text = text, .error = failure.error},
      node.counters);
  if (session.kind == Session::Kind::push_pull) {
    note_ended_push_pull(node, now, session);
    node.report.done(now, session.dial.token, failure.result, failure.number, failure.text,
                     failure.error);
  }
  end(node, session, op);
}

// Writes our state as it is now, with the other lanes' parts as they were gathered.
void write_state(Node& node, Instant now, Session& session) {
  const bool dialled = session.kind == Session::Kind::push_pull;
  const bool known_peer = !dialled && session.header.digests && node.sync.has_value();
  const StateWish wish{
      .join = dialled ? session.dial.join : session.header.join,
      .events_only = dialled ? session.dial.events_only : known_peer && session.header.nodes == 0,
      // What the other lanes have given is whole.
      .partial = node.alone() && (dialled ? session.dial.partial : known_peer)};
  const Bytes bytes = wrap_state(node, session, wish, dialled);
  if (!bytes.empty()) {
    if (!dialled) arm_deadline(node, session, now + node.options.swim.stream_timeout);
    return write(node, session, bytes);
  }
  if (!dialled) return end(node, session, StreamOp::Kind::finish);
  fail(node, now, session,
       {.result = CommandResult::no_capacity, .text = "too many states under way"},
       StreamOp::Kind::close);
}

// The same, once every lane has given its part.
void want_state(Node& node, Instant now, Session& session) {
  if (!start_gathering(node)) return write_state(node, now, session);
  session.state_wanted = true;
}

template <class Visit>
void for_each_session(Node& node, Visit&& visit) {
  for (Session& session : node.sessions.made()) {
    if (session.kind != Session::Kind::unused) visit(session);
  }
}

void end_overdue(Node& node, Instant now, Session& session) {
  fail(node, now, session,
       {.result = CommandResult::timed_out, .text = "too many streams, and it took long"},
       StreamOp::Kind::close);
}

void arm_look(Node& node, Instant now, const Session& session) {
  node.wheel.arm(node.session_timer(node.sessions.index_of(session)),
                 next_look(node, now, session));
}

void accept(Node& node, Instant now, const StreamEvent& event) {
  const IpAddress source = source_of(event.peer.address);
  if (Session* victim = in_the_way(node, now, source)) end_overdue(node, now, *victim);
  Session* session = node.sessions.acquire(Session::Kind::inbound);
  if (session == nullptr) {
    ++node.counters.streams_refused;
    node.out.stream({.kind = StreamOp::Kind::close, .stream = event.stream, .to = {}, .bytes = {}});
    return;
  }
  ++node.counters.streams_accepted;
  session->id = event.stream;
  session->peer = event.peer;
  session->due = now + node.options.swim.stream_timeout;
  session->heard = now;
  session->bytes_since_heard = 0;
  node.sessions.begin_waiting(*session, source);
  arm_look(node, now, *session);
}

// Its request is whole, or wrong: what follows is our answer.
void begin_answer(Node& node, Session& session) {
  node.sessions.end_waiting(session);
  session.answered = true;
}

void connected(Node& node, Instant now, Session& session) {
  if (session.kind == Session::Kind::ping) {
    const Bytes ping = Bytes(session.ping_text).first(session.ping_bytes);
    const Bytes bytes = wrap(node, ping, true, session.small);
    if (bytes.empty()) return end(node, session, StreamOp::Kind::close);
    return write(node, session, bytes);
  }
  arm_deadline(node, session, now + node.options.swim.stream_timeout);
  want_state(node, now, session);
}

void report_refused_merge(Node& node, Instant now, const Session& session) {
  ++node.counters.push_pulls_refused;
  node.report.trace(now, TraceKind::push_pull_refused,
                    {.endpoint = session.peer, .text = to_text(CommandResult::versions)},
                    node.counters);
}

// An inbound request is complete: answer it, or end the stream.
void serve(Node& node, Instant now, Session& session) {
  begin_answer(node, session);
  Bytes answer;
  if (session.message == Session::Message::push_pull) {
    if (session.merge_refused) report_refused_merge(node, now, session);
    ++node.counters.push_pulls_served;
    node.report.trace(now, TraceKind::push_pull_served,
                      {.endpoint = session.peer, .number = session.nodes_merged}, node.counters);
    return want_state(node, now, session);
  } else if (session.message == Session::Message::ping) {
    answer =
        wrap_small(node, session, Ack{.sequence = session.ping_sequence, .payload = {}}, false);
  }
  if (answer.empty()) return end(node, session, StreamOp::Kind::finish);
  arm_deadline(node, session, now + node.options.swim.stream_timeout);
  write(node, session, answer);
}

// The peer's answer to our request is complete.
void conclude(Node& node, Instant now, Session& session) {
  if (session.kind == Session::Kind::ping) {
    if (session.message == Session::Message::ack) {
      const ShardId owner = owner_of(node, session.ping_sequence);
      if (owner == node.id) {
        stream_ping_acked(node, session.ping_sequence);
      } else {
        post(node, owner, {.kind = MailKind::stream_acked, .sequence = session.ping_sequence});
      }
    }
    return end(node, session, StreamOp::Kind::close);
  }
  if (session.message == Session::Message::error) {
    const std::string_view text(session.error_text.data(), session.error_bytes);
    return fail(node, now, session, {.result = CommandResult::peer_error, .text = text},
                StreamOp::Kind::close);
  }
  if (session.message != Session::Message::push_pull) {
    return fail(node, now, session,
                {.result = CommandResult::bad_answer, .text = "the answer is not a push/pull"},
                StreamOp::Kind::close);
  }
  if (session.merge_refused) {
    report_refused_merge(node, now, session);
    return fail(node, now, session, {.result = CommandResult::versions}, StreamOp::Kind::close);
  }
  ++node.counters.push_pulls_done;
  note_ended_push_pull(node, now, session);
  node.report.trace(now, TraceKind::push_pull_sent,
                    {.endpoint = session.peer, .number = session.nodes_merged}, node.counters);
  if (session.dial.announce) announce_joins(node, now);
  // Of a large table a peer of this kind sends only a part: the rest comes by digests.
  if (session.header.digests && session.header.nodes > 0 && node.nodes() > partial_nodes_max) {
    begin_exchange(node, now, session.peer);
  }
  node.report.done(now, session.dial.token, CommandResult::ok);
  end(node, session, StreamOp::Kind::close);
}

void input_failed(Node& node, Instant now, Session& session, const WireError& error) {
  const bool answer = session.kind == Session::Kind::inbound && !session.answered &&
                      session.inbound.answer_with_error();
  if (!answer) {
    return fail(node, now, session, {.result = CommandResult::bad_answer, .error = error},
                StreamOp::Kind::close);
  }
  ++node.counters.streams_failed;
  node.report.trace(now, TraceKind::stream_failed, {.endpoint = session.peer, .error = error},
                    node.counters);
  begin_answer(node, session);
  const Bytes bytes = wrap_small(node, session, ErrorMessage{.text = to_text(error.fault)}, false);
  if (bytes.empty()) return end(node, session, StreamOp::Kind::close);
  write(node, session, bytes);
}

void readable(Node& node, Instant now, Session& session, Bytes bytes) {
  if (session.answered) return;  // whatever follows the request is not ours
  note_heard(session, now, bytes);
  MergeSink sink(node, now, session);
  const Decoded<InboundStream::Progress> progress = session.inbound.feed(bytes, sink);
  if (!progress) return input_failed(node, now, session, progress.error());
  switch (*progress) {
    case InboundStream::Progress::more:
      return;
    case InboundStream::Progress::refused:
      return fail(node, now, session,
                  {.result = CommandResult::bad_answer, .text = "the message is not for us"},
                  StreamOp::Kind::close);
    case InboundStream::Progress::done:
      if (session.kind == Session::Kind::inbound) return serve(node, now, session);
      return conclude(node, now, session);
  }
}

void ended(Node& node, Instant now, Session& session) {
  if (session.answered) return;  // our answer may still be on its way
  const Decoded<InboundStream::Progress> progress = session.inbound.finish();
  if (session.kind == Session::Kind::inbound) {
    if (progress) return end(node, session, StreamOp::Kind::close);
    return fail(node, now, session,
                {.result = CommandResult::bad_answer, .error = progress.error()},
                StreamOp::Kind::close);
  }
  const WireError error =
      progress ? WireError{"stream", "", WireFault::truncated, 0} : progress.error();
  if (session.kind == Session::Kind::ping) return end(node, session, StreamOp::Kind::close);
  fail(node, now, session,
       {.result = CommandResult::bad_answer, .text = "the peer closed the stream", .error = error},
       StreamOp::Kind::close);
}

void written(Node& node, Instant now, Session& session) {
  session.writing = false;
  if (session.answered) return end(node, session, StreamOp::Kind::finish);
  if (session.kind == Session::Kind::push_pull) {
    arm_deadline(node, session, now + node.options.swim.stream_timeout);
  }
}

// Starts a stream to `peer`; nullptr (and an answer to the command) when none is free.
Session* dial(Node& node, Session::Kind kind, const Endpoint& peer) {
  Session* session = node.sessions.acquire(kind);
  if (session == nullptr) {
    ++node.counters.streams_refused;
    return nullptr;
  }
  ++node.counters.streams_dialled;
  session->id = node.sessions.next_dial_id();
  session->peer = peer;
  node.out.stream(
      {.kind = StreamOp::Kind::connect, .stream = session->id, .to = peer, .bytes = {}});
  return session;
}

}  // namespace

void apply_stream_event(Node& node, Instant now, const StreamEvent& event) {
  if (event.kind == StreamEvent::Kind::accepted) return accept(node, now, event);
  Session* session = node.sessions.find(event.stream);
  if (session == nullptr) return;
  switch (event.kind) {
    case StreamEvent::Kind::accepted:
      return;
    case StreamEvent::Kind::connected:
      return connected(node, now, *session);
    case StreamEvent::Kind::readable:
      return readable(node, now, *session, event.bytes);
    case StreamEvent::Kind::written:
      return written(node, now, *session);
    case StreamEvent::Kind::closed:
      return ended(node, now, *session);
    case StreamEvent::Kind::failed: {
      const auto number = static_cast<std::uint64_t>(event.error_number);
      if (session->kind == Session::Kind::ping) return end(node, *session, std::nullopt);
      return fail(node, now, *session, {.result = CommandResult::refused, .number = number},
                  std::nullopt);
    }
  }
}

void session_due(Node& node, Instant now, std::uint32_t index) {
  Session& session = node.sessions.at(index);
  if (session.kind == Session::Kind::unused) return;
  if (session.kind == Session::Kind::ping) return end(node, session, StreamOp::Kind::close);
  if (now < session.due) {
    if (session.source == 0) return node.wheel.arm(node.session_timer(index), session.due);
    return overdue(node, now, session) ? end_overdue(node, now, session)
                                       : arm_look(node, now, session);
  }
  fail(node, now, session, {.result = CommandResult::timed_out, .number = ETIMEDOUT},
       StreamOp::Kind::close);
}

void dial_push_pull(Node& node, Instant now, const Endpoint& peer, const DialOptions& options) {
  Session* session = dial(node, Session::Kind::push_pull, peer);
  if (session == nullptr) {
    return node.report.done(now, options.token, CommandResult::no_capacity, 0,
                            "all stream sessions are in use");
  }
  session->dial = options;
  session->started = now;
  arm_deadline(node, *session, now + node.options.swim.stream_timeout);
}

void dial_ping(Node& node, Instant now, const Endpoint& target, const StreamPing& ping) {
  if (ping.deadline <= now || ping.message.size() > sizeof(Session::ping_text)) return;
  Session* session = dial(node, Session::Kind::ping, target);
  if (session == nullptr) return;
  ++node.counters.stream_pings_sent;
  session->ping_sequence = ping.sequence;
  session->ping_bytes = ping.message.size();
  std::ranges::copy(ping.message, session->ping_text.begin());
  arm_deadline(node, *session, ping.deadline);
}

void state_gathered(Node& node, Instant now) {
  for_each_session(node, [&](Session& session) {
    if (!session.state_wanted) return;
    session.state_wanted = false;
    write_state(node, now, session);
  });
}

void push_pull_turn(Node& node, Instant now) {
  node.wheel.arm(timer(FixedTimer::push_pull),
                 now + push_pull_scale(node.options.swim.push_pull_interval, node.nodes()));
  const std::optional<Slot> peer = draw_peer(node, PeerUse::push_pull);
  if (peer) dial_push_pull(node, now, node.members.endpoint(*peer), {});
}

std::optional<Slot> draw_peer(Node& node, PeerUse use) {
  const ShardId lane =
      node.alone() ? node.id : node.view->draw(&LaneView::live_others, node.rng, node.id);
  if (lane == node.id) return random_peer(node);
  post(node, lane, {.kind = MailKind::peer_wanted, .number = static_cast<std::uint64_t>(use)});
  return std::nullopt;
}

std::optional<Slot> random_peer(Node& node) {
  std::array<Slot, 1> chosen;
  const std::size_t count = node.peers.sample(node.rng, chosen, [&](Slot slot) {
    return node.is_self(slot) || node.members.state(slot) != MemberState::alive;
  });
  if (count == 0) return std::nullopt;
  return chosen[0];
}

}  // namespace starling
