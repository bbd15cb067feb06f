// Commands through their ring.
#include "core/shard/commands.h"

#include <gtest/gtest.h>

#include "tests/support/arena_block.h"

namespace starling {
namespace {

TEST(Commands, ArriveAsTheyWereSent) {
  test::ArenaBlock memory(1 << 16);
  auto [write_end, read_end] = make_ring(memory.arena(), 4096);
  CommandWriter writer(std::move(write_end));
  const std::array<std::byte, 3> payload{std::byte{1}, std::byte{0}, std::byte{255}};
  ASSERT_TRUE(writer.send({.kind = Command::Kind::user_event,
                           .token = 0xfedc'ba98'7654'3210,
                           .endpoint = {IpAddress::v4(10, 0, 0, 1), 7946},
                           .name = "deploy",
                           .payload = payload,
                           .prune = true,
                           .coalesce = true,
                           .announce = true,
                           .ignore_old = true,
                           .filters = Bytes(payload).first(2),
                           .filter_count = 4,
                           .timeout = std::chrono::seconds(3),
                           .want_acks = true,
                           .relay_factor = 7,
                           .flags = 2,
                           .query = 99}));
  ASSERT_TRUE(writer.send({.kind = Command::Kind::leave, .token = 2}));
  std::size_t seen = 0;
  read_end.drain(10, [&](Bytes record) {
    const Command command = decode_command(record);
    if (seen++ == 1) {
      EXPECT_EQ(command.kind, Command::Kind::leave);
      EXPECT_TRUE(command.name.empty());
      return;
    }
    EXPECT_EQ(command.kind, Command::Kind::user_event);
    EXPECT_EQ(command.token, 0xfedc'ba98'7654'3210);
    EXPECT_EQ(command.endpoint, (Endpoint{IpAddress::v4(10, 0, 0, 1), 7946}));
    EXPECT_EQ(command.name, "deploy");
    EXPECT_TRUE(equal(command.payload, payload));
    EXPECT_TRUE(equal(command.filters, Bytes(payload).first(2)));
    EXPECT_EQ(command.filter_count, 4u);
    EXPECT_EQ(command.timeout, std::chrono::seconds(3));
    EXPECT_TRUE(command.want_acks);
    EXPECT_EQ(command.relay_factor, 7);
    EXPECT_EQ(command.flags, 2u);
    EXPECT_EQ(command.query, 99u);
    EXPECT_TRUE(command.prune && command.coalesce && command.announce && command.ignore_old);
  });
  EXPECT_EQ(seen, 2u);
}

TEST(Commands, AFullRingTakesNothing) {
  test::ArenaBlock memory(1 << 16);
  auto [write_end, read_end] = make_ring(memory.arena(), 1024);
  CommandWriter writer(std::move(write_end));
  std::size_t sent = 0;
  while (sent < 1000 && writer.send({.kind = Command::Kind::leave, .token = sent + 1})) ++sent;
  EXPECT_GT(sent, 0u);
  EXPECT_LT(sent, 1000u);
  std::uint64_t next = 1;
  read_end.drain(1000, [&](Bytes record) { EXPECT_EQ(decode_command(record).token, next++); });
  EXPECT_EQ(next, sent + 1);
  EXPECT_TRUE(writer.send({.kind = Command::Kind::leave, .token = 1}));
}

}  // namespace
}  // namespace starling
