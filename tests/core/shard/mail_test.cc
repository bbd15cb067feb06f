// Mail between the lanes of a node.
#include "core/shard/mail.h"

#include <gtest/gtest.h>

#include "tests/support/arena_block.h"

namespace starling::test {
namespace {

constexpr std::size_t ring_bytes = 1u << 16;

TEST(Mail, ArrivesAsItWasSent) {
  ArenaBlock memory(mailboxes_footprint(3, ring_bytes));
  std::vector<Mailbox> boxes = make_mailboxes(memory.arena(), 3, ring_bytes);
  const Mail sent{.kind = MailKind::host,
                  .flag = true,
                  .hosted = HostedId{77},
                  .sequence = SequenceNumber{0x0200'0005},
                  .number = ~0ull,
                  .token = 12,
                  .endpoint = {IpAddress::v4(10, 1, 2, 3), 7946},
                  .due = Instant(std::chrono::hours(3)),
                  .name = "member",
                  .bytes = as_bytes("metadata")};
  ASSERT_TRUE(boxes[2].send(ShardId{0}, sent));
  EXPECT_EQ(boxes[2].take_written(), 1u);
  EXPECT_EQ(boxes[2].take_written(), 0u);
  EXPECT_TRUE(boxes[0].waiting());
  EXPECT_FALSE(boxes[1].waiting());
  std::size_t seen = 0;
  EXPECT_FALSE(boxes[0].drain(10, [&](ShardId from, const Mail& mail) {
    ++seen;
    EXPECT_EQ(from, ShardId{2});
    EXPECT_EQ(mail.kind, sent.kind);
    EXPECT_EQ(mail.flag, sent.flag);
    EXPECT_EQ(mail.hosted, sent.hosted);
    EXPECT_EQ(mail.sequence, sent.sequence);
    EXPECT_EQ(mail.number, sent.number);
    EXPECT_EQ(mail.token, sent.token);
    EXPECT_EQ(mail.endpoint, sent.endpoint);
    EXPECT_EQ(mail.due, sent.due);
    EXPECT_EQ(mail.name, sent.name);
    EXPECT_EQ(as_text(mail.bytes), "metadata");
  }));
  EXPECT_EQ(seen, 1u);
  EXPECT_FALSE(boxes[0].waiting());
}

TEST(Mail, ABundleKeepsItsMessagesAndWhomTheyAreAbout) {
  ArenaBlock memory(mailboxes_footprint(2, ring_bytes));
  std::vector<Mailbox> boxes = make_mailboxes(memory.arena(), 2, ring_bytes);
  const Endpoint from{IpAddress::v4(10, 1, 2, 3), 7946};
  std::array<Parcel, bundle_messages_max> sent;
  std::array<std::string, bundle_messages_max> texts;
  for (std::size_t i = 0; i < sent.size(); ++i) {
    texts[i] = std::string(i * 7, static_cast<char>('a' + i));  // the first is empty
    sent[i] = {i % 3 == 0 ? NameHash{} : hash_name(texts[i]), as_bytes(texts[i])};
  }
  ASSERT_TRUE(boxes[0].send_bundle(ShardId{1}, from, sent));
  EXPECT_EQ(boxes[0].take_written(), 2u);
  std::size_t mails = 0;
  boxes[1].drain(10, [&](ShardId, const Mail& mail) {
    ++mails;
    EXPECT_EQ(mail.kind, MailKind::bundle);
    EXPECT_EQ(mail.endpoint, from);
    std::array<Parcel, bundle_messages_max> parcels;
    ASSERT_EQ(read_bundle(mail.bytes, parcels), sent.size());
    for (std::size_t i = 0; i < parcels.size(); ++i) {
      EXPECT_EQ(parcels[i].subject, sent[i].subject);
      EXPECT_EQ(as_text(parcels[i].message), texts[i]);
    }
  });
  EXPECT_EQ(mails, 1u);
}

TEST(Mail, AFullRingLosesABundleAsAWhole) {
  ArenaBlock memory(mailboxes_footprint(2, ring_bytes));
  std::vector<Mailbox> boxes = make_mailboxes(memory.arena(), 2, ring_bytes);
  const std::string body(5'000, 'x');
  const std::array<Parcel, 2> parcels{Parcel{NameHash{1}, as_bytes(body)},
                                      Parcel{NameHash{2}, as_bytes(body)}};
  std::size_t sent = 0;
  while (boxes[0].send_bundle(ShardId{1}, {}, parcels)) ++sent;
  EXPECT_GE(sent, 3u);
  std::size_t arrived = 0;
  boxes[1].drain(100, [&](ShardId, const Mail& mail) {
    std::array<Parcel, bundle_messages_max> taken;
    EXPECT_EQ(read_bundle(mail.bytes, taken), 2u);
    ++arrived;
  });
  EXPECT_EQ(arrived, sent);
}

TEST(Mail, AFullRingLosesFactsAndStillTakesCommands) {
  ArenaBlock memory(mailboxes_footprint(2, ring_bytes));
  std::vector<Mailbox> boxes = make_mailboxes(memory.arena(), 2, ring_bytes);
  const std::string body(500, 'x');
  std::size_t sent = 0;
  while (boxes[0].send(ShardId{1}, {.kind = MailKind::merged, .bytes = as_bytes(body)})) ++sent;
  EXPECT_GT(sent, 50u);
  EXPECT_LT(sent, ring_bytes / body.size());
  EXPECT_FALSE(boxes[0].roomy());
  EXPECT_FALSE(boxes[0].send(ShardId{1}, {.kind = MailKind::gossip, .bytes = as_bytes(body)}));
  EXPECT_TRUE(boxes[0].send(ShardId{1}, {.kind = MailKind::command, .bytes = as_bytes(body)}));
  EXPECT_TRUE(boxes[1].drain(10, [](ShardId, const Mail&) {})) << "there is more";
  while (boxes[1].drain(10, [](ShardId, const Mail&) {})) {
  }
  EXPECT_TRUE(boxes[0].roomy());
  EXPECT_TRUE(boxes[0].send(ShardId{1}, {.kind = MailKind::merged, .bytes = as_bytes(body)}));
}

TEST(Mail, ARecordLargerThanTheRingIsRefused) {
  ArenaBlock memory(mailboxes_footprint(2, ring_bytes));
  std::vector<Mailbox> boxes = make_mailboxes(memory.arena(), 2, ring_bytes);
  const std::string body(ring_bytes, 'x');
  EXPECT_FALSE(boxes[0].send(ShardId{1}, {.kind = MailKind::command, .bytes = as_bytes(body)}));
  EXPECT_FALSE(boxes[1].waiting());
}

}  // namespace
}  // namespace starling::test
