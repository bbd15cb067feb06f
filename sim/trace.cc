#include "sim/trace.h"

#include <xxhash.h>

#include <cstdio>

namespace starling::sim {

namespace {

std::string_view word(Fate fate) {
  switch (fate) {
    case Fate::sent:
      return "";
    case Fate::lost:
      return "lost: ";
    case Fate::blocked:
      return "blocked: ";
    case Fate::misaddressed:
      return "no such address: ";
    case Fate::overflow:
      return "network full: ";
  }
  return "";
}

std::string_view word(StreamEvent::Kind kind) {
  switch (kind) {
    case StreamEvent::Kind::accepted:
      return "accepted";
    case StreamEvent::Kind::connected:
      return "connected";
    case StreamEvent::Kind::readable:
      return "readable";
    case StreamEvent::Kind::written:
      return "written";
    case StreamEvent::Kind::closed:
      return "closed";
    case StreamEvent::Kind::failed:
      return "failed";
  }
  return "";
}

std::string describe(const Event& event) {
  const std::string name(event.name);
  switch (event.kind) {
    case Event::Kind::member:
      return (event.change ? std::string(to_text(*event.change)) : "member-status") + " " + name +
             " is " + std::string(to_text(event.status));
    case Event::Kind::user:
      return "user-event " + name + " time=" + std::to_string(to_number(event.time));
    case Event::Kind::query:
      return "query " + name + " time=" + std::to_string(to_number(event.time));
    case Event::Kind::query_ack:
      return "query-ack " + std::to_string(event.token) + " from " + std::string(event.from);
    case Event::Kind::query_response:
      return "query-response " + std::to_string(event.token) + " from " + std::string(event.from);
    case Event::Kind::query_done:
      return "query-done " + std::to_string(event.token);
    case Event::Kind::conflict:
      return "conflict " + name;
    case Event::Kind::done:
      return "done " + std::to_string(event.token) + ": " + std::string(to_text(event.result));
    case Event::Kind::stats:
      return "stats " + std::to_string(event.stats.members_alive) + " of " +
             std::to_string(event.stats.members) + " alive, incarnation " +
             std::to_string(event.stats.incarnation);
    case Event::Kind::trace: {
      std::string text(to_text(event.trace));
      if (!name.empty()) text += " " + name;
      if (!event.from.empty()) text += " by " + std::string(event.from);
      if (event.number != 0) text += " (" + std::to_string(event.number) + ")";
      if (!event.text.empty()) text += ": " + std::string(event.text);
      if (event.error.layer[0] != '\0') {
        text += std::string(": ") + event.error.layer + " " + event.error.field + " " +
                std::string(to_text(event.error.fault));
      }
      return text;
    }
  }
  return "";
}

}  // namespace

Trace::Trace(Instant start, TraceSink sink, const EngineOptions& options)
    : start_(start), sink_(std::move(sink)) {
  if (sink_) summary_ = std::make_unique<Summary>(options);
}

void Trace::mix(Bytes bytes) {
  hash_ = XXH3_64bits_withSeed(bytes.data(), bytes.size(), hash_);
}

void Trace::mix(Instant now, NodeId node, std::uint64_t what) {
  const std::array<std::uint64_t, 3> words = {static_cast<std::uint64_t>((now - start_).count()),
                                              index_of(node), what};
  mix(std::as_bytes(std::span(words)));
}

std::string Trace::stamp(Instant now) const {
  char text[32];
  std::snprintf(text, sizeof text, "%12.6f ", std::chrono::duration<double>(now - start_).count());
  return text;
}

void Trace::line(Instant now, std::string_view text) const {
  if (sink_) sink_(stamp(now) + std::string(text));
}

void Trace::sent(Instant now, NodeId from, const Endpoint& to, Bytes bytes, Fate fate) {
  mix(now, from, 1 + static_cast<std::uint64_t>(fate));
  mix(bytes);
  if (!sink_) return;
  const std::optional<NodeId> target = node_at(to, nodes_max);
  line(now, name_of(from) + (fate == Fate::sent ? " > " : " x ") +
                (target ? name_of(*target) : "?") + "  " + std::string(word(fate)) +
                summary_->of(bytes));
}

void Trace::delivered(const Datagram& datagram) {
  mix(datagram.arrival, datagram.to, 16);
  mix(datagram.bytes);
}

void Trace::stream(Instant now, NodeId node, const StreamEvent& event) {
  mix(now, node, 32 + static_cast<std::uint64_t>(event.kind));
  mix(now, node, static_cast<std::uint64_t>(event.stream));
  mix(event.bytes);
  if (!sink_) return;
  const std::optional<NodeId> peer = node_at(event.peer, nodes_max);
  std::string text = name_of(node) + " ~ " + (peer ? name_of(*peer) : "?") + "  stream " +
                     std::to_string(static_cast<std::uint32_t>(event.stream)) + " " +
                     std::string(word(event.kind));
  if (!event.bytes.empty()) text += " " + std::to_string(event.bytes.size()) + " bytes";
  if (event.error_number != 0) text += " errno " + std::to_string(event.error_number);
  line(now, text);
}

void Trace::event(Instant now, NodeId node, const Event& event) {
  mix(now, node, 64 + static_cast<std::uint64_t>(event.kind));
  const std::array<std::uint64_t, 5> words = {static_cast<std::uint64_t>(event.trace), event.number,
                                              event.token, static_cast<std::uint64_t>(event.status),
                                              to_number(event.time)};
  mix(std::as_bytes(std::span(words)));
  mix(as_bytes(event.name));
  mix(as_bytes(event.from));
  mix(event.payload);
  if (sink_) line(now, name_of(node) + " * " + describe(event));
}

void Trace::note(Instant now, std::string_view text) {
  mix(now, NodeId{0}, 128);
  mix(as_bytes(text));
  line(now, "-- " + std::string(text));
}

}  // namespace starling::sim
