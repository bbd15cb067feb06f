#include "core/shard/stream_room.h"

#include <algorithm>

namespace starling {

namespace {

// With fewer bytes than this in the time for silence a stream is silent.
constexpr std::size_t heard_bytes = 1024;

bool scarce(const Node& node) {
  const std::uint32_t most = node.options.capacity.streams_max;
  return node.sessions.used() + (most + 7) / 8 >= most;
}
bool last_one(const Node& node) {
  return node.sessions.used() + 1 >= node.options.capacity.streams_max;
}

// Of the usual ten seconds: 1.25 s, 100 ms and 20 ms.
Duration short_patience(const Node& node) {
  return node.options.swim.stream_timeout / 8;
}
Duration silence(const Node& node) {
  return node.options.swim.stream_timeout / 100;
}
Duration short_silence(const Node& node) {
  return node.options.swim.stream_timeout / 500;
}

Instant accepted_at(const Node& node, const Session& session) {
  return session.due - node.options.swim.stream_timeout;
}

std::uint32_t share(const Node& node) {
  const std::uint32_t alone = node.options.capacity.source_streams();
  if (!scarce(node)) return alone;
  return std::max(1u, alone / std::max(1u, node.sessions.sources()));
}

bool beyond_share(const Node& node, const Session& session) {
  return node.sessions.source_of(session).waiting > share(node);
}

// The waiting stream with the least of `rank`, of `source` or of all; nullptr: none waits.
template <class Rank>
Session* first_by(Node& node, const IpAddress* source, Rank rank) {
  Session* first = nullptr;
  for (Session& session : node.sessions.made()) {
    if (session.source == 0) continue;
    if (source != nullptr && node.sessions.source_of(session).address != *source) continue;
    if (first == nullptr || session.*rank < first->*rank) first = &session;
  }
  return first;
}

}  // namespace

Session* in_the_way(Node& node, Instant now, const IpAddress& source) {
  const std::uint32_t most = share(node);
  const bool over = node.sessions.waiting(source) >= most;
  if (!over && !scarce(node)) return nullptr;
  const Sessions::Source* const largest = node.sessions.largest_source();
  if (largest == nullptr) return nullptr;
  if (over || largest->waiting > most) {
    Session* const silent = first_by(node, over ? &source : &largest->address, &Session::heard);
    // A source that is beyond its share gains nothing by this, and may have come in a burst.
    Duration least = silence(node);
    if (last_one(node)) least = over ? short_silence(node) : Duration::zero();
    if (now - silent->heard > least) return silent;
  }
  if (!scarce(node)) return nullptr;
  Session* const oldest = first_by(node, nullptr, &Session::due);
  return now - accepted_at(node, *oldest) >= short_patience(node) ? oldest : nullptr;
}

Instant next_look(const Node& node, Instant now, const Session& session) {
  if (beyond_share(node, session)) return std::min(now + silence(node), session.due);
  const Instant early = accepted_at(node, session) + short_patience(node);
  return scarce(node) && now < early ? early : session.due;
}

bool overdue(const Node& node, Instant now, const Session& session) {
  const bool beyond = beyond_share(node, session);
  if (beyond && now - session.heard >= silence(node)) return true;
  return (beyond || scarce(node)) && now - accepted_at(node, session) >= short_patience(node);
}

void note_heard(Session& session, Instant now, Bytes bytes) {
  session.bytes_since_heard += bytes.size();
  if (session.bytes_since_heard < heard_bytes) return;
  session.bytes_since_heard = 0;
  session.heard = now;
}

}  // namespace starling
