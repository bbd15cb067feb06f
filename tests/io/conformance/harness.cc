#include "tests/io/conformance/harness.h"

#include <array>
#include <cstring>

#include "io/memory/network.h"
#include "io/open.h"

namespace starling::io {

namespace {

PortKind::Result open_with(PortOptions options, PortChoice choice) {
  options.choice = choice;
  auto opened = open_ports(options);
  if (opened) return {std::move(opened->ports), ""};
  return {nullptr, opened.error()};
}

}  // namespace

PortKind sockets_kind() {
  return {.name = "sockets", .open = [](const PortOptions& options) {
            PortKind::Result result = open_with(options, PortChoice::sockets);
            // Every system has sockets: no reason to skip.
            EXPECT_NE(result.ports, nullptr) << result.skip;
            return result;
          }};
}

PortKind uring_kind() {
  return {.name = "uring",
          .open = [](const PortOptions& options) { return open_with(options, PortChoice::uring); }};
}

PortKind memory_kind() {
  return {.name = "memory",
          .open = [network = std::make_shared<MemoryNetwork>()](const PortOptions& options) {
            auto opened = network->open(options);
            EXPECT_TRUE(opened) << opened.error();
            return PortKind::Result{std::move(*opened), ""};
          }};
}

bool until(const std::function<bool()>& done, const std::function<void()>& step) {
  const Instant give_up = MonotonicClock::now() + patience;
  while (!done()) {
    if (MonotonicClock::now() > give_up) return false;
    step();
  }
  return true;
}

void send_text(Ports& ports, const Endpoint& to, std::string_view text) {
  TxPacket blank;
  ASSERT_EQ(ports.datagrams().borrow(std::span(&blank, 1)), 1U);
  ASSERT_GE(blank.room.size(), text.size());
  std::memcpy(blank.room.data(), text.data(), text.size());
  blank.to = to;
  blank.bytes = static_cast<std::uint32_t>(text.size());
  ports.datagrams().send(std::span(&blank, 1));
}

std::vector<Received> receive_texts(Ports& ports, std::size_t count) {
  std::vector<Received> all;
  std::array<RxPacket, 128> burst;
  until([&] { return all.size() >= count; },
        [&] {
          ports.wait(std::chrono::milliseconds(5));
          const std::size_t received = ports.datagrams().receive(burst);
          for (const RxPacket& packet : std::span(burst).first(received)) {
            all.push_back({packet.from, std::string(as_text(packet.bytes))});
          }
          ports.datagrams().release(std::span(burst).first(received));
        });
  return all;
}

std::size_t Recorder::count(StreamEvent::Kind kind) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(events, [&](const SeenEvent& seen) { return seen.kind == kind; }));
}

std::size_t Recorder::count(StreamEvent::Kind kind, StreamId stream) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      events, [&](const SeenEvent& seen) { return seen.kind == kind && seen.stream == stream; }));
}

const SeenEvent& Recorder::first(StreamEvent::Kind kind) const {
  const auto found =
      std::ranges::find_if(events, [&](const SeenEvent& seen) { return seen.kind == kind; });
  if (found == events.end()) std::abort();
  return *found;
}

std::string Recorder::bytes_of(StreamId stream) const {
  std::string all;
  for (const SeenEvent& seen : events) {
    if (seen.kind == StreamEvent::Kind::readable && seen.stream == stream) all += seen.bytes;
  }
  return all;
}

}  // namespace starling::io
