#include "sim/summary.h"

#include <gtest/gtest.h>

#include "sim/node_id.h"

namespace starling::sim {
namespace {

TEST(Summary, NamesTheMessagesOfADatagram) {
  EngineOptions options;
  Summary summary(options);
  std::array<std::byte, 256> room;
  Writer ping(room);
  encode(Ping{.sequence = SequenceNumber{12}, .node = "n007", .source = {}}, ping);
  EXPECT_EQ(summary.of(ping.written()), "ping n007 seq=12");

  std::array<std::byte, 256> second_room;
  Writer dead(second_room);
  encode(Dead{.incarnation = Incarnation{3}, .node = "n001", .from = "n002"}, dead);
  std::array<std::byte, 512> compound_room;
  CompoundBuilder builder(compound_room);
  ASSERT_TRUE(builder.add(ping.written()));
  ASSERT_TRUE(builder.add(dead.written()));
  EXPECT_EQ(summary.of(builder.finish()), "ping n007 seq=12, dead n001 inc=3 by n002");
}

TEST(Summary, ReadsEncryptedDatagramsAndSaysWhenItCannot) {
  EngineOptions options;
  const std::array<std::byte, 16> key{};
  ASSERT_TRUE(options.keyring.add(*AesKey::from(key)).has_value());
  options.label = "cluster-a";
  Summary summary(options);

  std::array<std::byte, 256> room;
  Writer nack(room);
  encode(Nack{.sequence = SequenceNumber{4}}, nack);
  Cipher cipher(options.keyring);
  const EnvelopePolicy policy{.label = {.label = options.label, .skip_inbound_check = false}};
  Wrapper wrapper;
  std::array<std::byte, 512> wrapped;
  const std::size_t size =
      wrapper.datagram(nack.written(), false, policy, cipher, Nonce{}, wrapped);
  ASSERT_GT(size, 0U);
  EXPECT_EQ(summary.of(Bytes(wrapped).first(size)), "nack seq=4");
  wrapped[size - 1] ^= std::byte{1};
  EXPECT_NE(summary.of(Bytes(wrapped).first(size)).find("unreadable"), std::string::npos);
}

}  // namespace
}  // namespace starling::sim
