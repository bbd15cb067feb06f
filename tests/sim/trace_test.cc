#include "sim/trace.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/sim/nodes.h"

namespace starling::sim {
namespace {

const Instant start{std::chrono::hours(1)};

Event dead(std::uint64_t incarnation) {
  Event event;
  event.kind = Event::Kind::trace;
  event.trace = TraceKind::member_dead;
  event.name = "n001";
  event.from = "n000";
  event.number = incarnation;
  return event;
}

TEST(Trace, LinesSayWhoWhenAndWhat) {
  std::vector<std::string> lines;
  Trace trace(
      start, [&](std::string_view line) { lines.emplace_back(line); }, EngineOptions{});
  std::array<std::byte, 64> room;
  Writer ack(room);
  encode(Ack{.sequence = SequenceNumber{9}, .payload = {}}, ack);
  trace.sent(start + std::chrono::milliseconds(1500), a, endpoint_of(b), ack.written(), Fate::sent);
  trace.sent(start + std::chrono::milliseconds(1500), a, endpoint_of(b), ack.written(), Fate::lost);
  trace.event(start + std::chrono::seconds(2), a, dead(3));
  trace.note(start + std::chrono::seconds(3), "calm");
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0], "    1.500000 n000 > n001  ack seq=9");
  EXPECT_EQ(lines[1], "    1.500000 n000 x n001  lost: ack seq=9");
  EXPECT_EQ(lines[2], "    2.000000 n000 * member-dead n001 by n000 (3)");
  EXPECT_EQ(lines[3], "    3.000000 -- calm");
}

TEST(Trace, TheHashDependsOnEverythingButTheSink) {
  const auto hash = [](TraceSink sink, std::uint64_t incarnation, Duration when, NodeId who) {
    Trace trace(start, std::move(sink), EngineOptions{});
    trace.event(start + when, who, dead(incarnation));
    trace.note(start + when, "x");
    return trace.hash();
  };
  const std::uint64_t base = hash({}, 3, std::chrono::seconds(1), a);
  EXPECT_EQ(base, hash([](std::string_view) {}, 3, std::chrono::seconds(1), a));
  EXPECT_NE(base, hash({}, 4, std::chrono::seconds(1), a));
  EXPECT_NE(base, hash({}, 3, std::chrono::nanoseconds(1), a));
  EXPECT_NE(base, hash({}, 3, std::chrono::seconds(1), b));
}

}  // namespace
}  // namespace starling::sim
