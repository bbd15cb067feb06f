// What the conformance tests of all ports share: opening a kind of port, and small bounded loops
// that stand in for a lane.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "io/clock.h"
#include "io/port_options.h"
#include "io/ports.h"

namespace starling::io {

// How a test suite opens ports of one kind. `skip` says why this machine cannot (then ports is
// null).
struct PortKind {
  std::string name;
  struct Result {
    std::unique_ptr<Ports> ports;
    std::string skip;
  };
  std::function<Result(const PortOptions&)> open;
};
inline void PrintTo(const PortKind& kind, std::ostream* out) {
  *out << kind.name;
}
inline std::string name_of(const testing::TestParamInfo<PortKind>& info) {
  return info.param.name;
}

PortKind sockets_kind();
PortKind uring_kind();
PortKind memory_kind();  // one network for all ports of a kind

inline Endpoint loopback_v4() {
  return {IpAddress::v4(127, 0, 0, 1), 0};
}
inline Endpoint loopback_v6() {
  std::array<std::byte, 16> raw{};
  raw[15] = std::byte{1};
  return {IpAddress(raw), 0};
}

constexpr Duration patience = std::chrono::seconds(10);

// Calls `step` until `done` or until patience ends; whether it was done.
bool until(const std::function<bool()>& done, const std::function<void()>& step);

struct Received {
  Endpoint from;
  std::string text;
};

// Sends one datagram.
void send_text(Ports& ports, const Endpoint& to, std::string_view text);
// Receives at least `count` datagrams, or what came within patience.
std::vector<Received> receive_texts(Ports& ports, std::size_t count);

struct SeenEvent {
  StreamEvent::Kind kind;
  StreamId stream;
  Endpoint peer;
  std::string bytes;
  int error_number;
};

// Collects stream events; the bytes are copied.
class Recorder final : public StreamPort::Sink {
 public:
  void on_event(const StreamEvent& event) override {
    events.push_back({event.kind, event.stream, event.peer, std::string(as_text(event.bytes)),
                      event.error_number});
  }
  std::size_t count(StreamEvent::Kind kind) const;
  std::size_t count(StreamEvent::Kind kind, StreamId stream) const;
  // The first event of a kind; the test must know there is one.
  const SeenEvent& first(StreamEvent::Kind kind) const;
  // All bytes read from a stream.
  std::string bytes_of(StreamId stream) const;

  std::vector<SeenEvent> events;
};

// Ports and what they reported.
struct Side {
  std::unique_ptr<Ports> ports;
  Recorder seen;

  void turn(Duration wait_at_most = std::chrono::milliseconds(1)) {
    ports->wait(wait_at_most);
    ports->streams().deliver(seen);
  }
  void submit(const StreamOp& op) { ports->streams().submit(std::span(&op, 1)); }
  void connect(StreamId id, const Endpoint& to) {
    submit({.kind = StreamOp::Kind::connect, .stream = id, .to = to, .bytes = {}});
  }
  void write(StreamId id, std::string_view text) {
    submit({.kind = StreamOp::Kind::write, .stream = id, .to = {}, .bytes = as_bytes(text)});
  }
  void close(StreamId id) {
    submit({.kind = StreamOp::Kind::close, .stream = id, .to = {}, .bytes = {}});
  }
  void finish(StreamId id) {
    submit({.kind = StreamOp::Kind::finish, .stream = id, .to = {}, .bytes = {}});
  }
};

// Opens ports of the suite's kind; skips the test with the reason where that cannot be.
class Conformance : public testing::TestWithParam<PortKind> {
 protected:
  void open(Side& side, PortOptions options = {.bind = loopback_v4()}) {
    PortKind::Result result = GetParam().open(options);
    if (result.ports == nullptr) GTEST_SKIP() << result.skip;
    side.ports = std::move(result.ports);
  }
};

}  // namespace starling::io

// Opening may skip the test; a skip inside a helper must end the test body as well.
#define OPEN(...)    \
  open(__VA_ARGS__); \
  if (IsSkipped()) return
