// Events through their ring.
#include "core/shard/events.h"

#include <gtest/gtest.h>

#include "tests/support/arena_block.h"

namespace starling {
namespace {

using namespace std::chrono_literals;

TEST(Events, ArriveAsTheyWereSent) {
  test::ArenaBlock memory(1 << 18);
  auto [write_end, read_end] = make_ring(memory.arena(), 1 << 16);
  EventWriter writer(std::move(write_end));
  EventReader reader(std::move(read_end));

  Event member;
  member.kind = Event::Kind::member;
  member.at = Instant(5s);
  member.change = MemberEventKind::update;
  member.status = MemberStatus::leaving;
  member.time = LamportTime{9};
  member.endpoint = {IpAddress::v4(10, 0, 0, 1), 7946};
  member.versions.protocol_current = 3;
  member.name = "a";
  member.payload = as_bytes("meta");
  ASSERT_TRUE(writer.send(member));
  Event trace;
  trace.kind = Event::Kind::trace;
  trace.trace = TraceKind::packet_dropped;
  trace.from = "b";
  trace.text = "why";
  trace.number = 7;
  trace.error = {"crc", "sum", WireFault::mismatch, 4};
  ASSERT_TRUE(writer.send(trace));
  Event stats;
  stats.kind = Event::Kind::stats;
  stats.token = 3;
  stats.stats.counters.pings_sent = 12;
  stats.stats.encrypted = true;
  ASSERT_TRUE(writer.send(stats));

  std::size_t seen = 0;
  reader.drain(10, [&](const Event& event) {
    switch (seen++) {
      case 0:
        EXPECT_EQ(event.kind, Event::Kind::member);
        EXPECT_EQ(event.at, Instant(5s));
        EXPECT_EQ(event.change, MemberEventKind::update);
        EXPECT_EQ(event.status, MemberStatus::leaving);
        EXPECT_EQ(to_number(event.time), 9u);
        EXPECT_EQ(event.endpoint, member.endpoint);
        EXPECT_EQ(event.versions, member.versions);
        EXPECT_EQ(event.name, "a");
        EXPECT_EQ(as_text(event.payload), "meta");
        break;
      case 1:
        EXPECT_EQ(event.change, std::nullopt);
        EXPECT_EQ(event.trace, TraceKind::packet_dropped);
        EXPECT_EQ(event.from, "b");
        EXPECT_EQ(event.text, "why");
        EXPECT_EQ(event.number, 7u);
        EXPECT_EQ(std::string_view(event.error.layer), "crc");
        EXPECT_EQ(event.error.fault, WireFault::mismatch);
        break;
      default:
        EXPECT_EQ(event.token, 3u);
        EXPECT_EQ(event.stats.counters.pings_sent, 12u);
        EXPECT_TRUE(event.stats.encrypted);
    }
  });
  EXPECT_EQ(seen, 3u);
}

TEST(Events, AQueryCarriesWhatItsAnswerNeeds) {
  test::ArenaBlock memory(1 << 16);
  auto [write_end, read_end] = make_ring(memory.arena(), 4096);
  EventWriter writer(std::move(write_end));
  EventReader reader(std::move(read_end));
  const std::array<std::byte, 3> filters{std::byte{0xa1}, std::byte{1}, std::byte{2}};
  Event query;
  query.kind = Event::Kind::query;
  query.name = "load";
  query.from = "origin";
  query.payload = as_bytes("now");
  query.number = 5;
  query.id = 0x7fff'ffff;
  query.flags = 3;
  query.deadline = Instant(std::chrono::seconds(9));
  query.filters = filters;
  query.filter_count = 1;
  ASSERT_TRUE(writer.send(query));
  EXPECT_EQ(reader.drain(2,
                         [&](const Event& event) {
                           EXPECT_EQ(event.kind, Event::Kind::query);
                           EXPECT_EQ(event.name, "load");
                           EXPECT_EQ(event.from, "origin");
                           EXPECT_EQ(as_text(event.payload), "now");
                           EXPECT_EQ(event.number, 5u);
                           EXPECT_EQ(event.id, 0x7fff'ffffu);
                           EXPECT_EQ(event.flags, 3u);
                           EXPECT_EQ(event.deadline, query.deadline);
                           EXPECT_TRUE(equal(event.filters, filters));
                           EXPECT_EQ(event.filter_count, 1u);
                         }),
            1u);
}

TEST(Events, AreRoomyUntilAboutThreeQuartersAreFull) {
  test::ArenaBlock memory(1 << 18);
  auto [write_end, read_end] = make_ring(memory.arena(), 1 << 16);
  EventWriter writer(std::move(write_end));
  EXPECT_TRUE(writer.roomy());
  Event event;
  std::size_t sent = 0;
  while (writer.roomy() && sent < 10'000) {
    ASSERT_TRUE(writer.send(event));
    ++sent;
  }
  EXPECT_GT(sent, 10u);
  EXPECT_TRUE(writer.send(event)) << "there is still room for what matters";
}

TEST(Events, EveryResultAndTraceHasAText) {
  for (int i = 0; i <= static_cast<int>(CommandResult::no_capacity); ++i) {
    EXPECT_FALSE(to_text(static_cast<CommandResult>(i)).empty());
  }
  for (int i = 0; i <= static_cast<int>(TraceKind::query_for_others); ++i) {
    EXPECT_FALSE(to_text(static_cast<TraceKind>(i)).empty());
  }
}

}  // namespace
}  // namespace starling
