#include "core/digest/delivery.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/support/member_bag.h"

namespace starling {
namespace {

TEST(Delivery, SendsOursAndWantsTheirsInBursts) {
  test::MemberBag bag({.cells = 0});
  std::vector<Difference> differences;
  std::set<std::string> ours;
  std::set<std::uint64_t> theirs;
  for (std::uint32_t i = 0; i < 6000; ++i) {
    std::string name;
    MemberRecord record = test::made_up_record(i, false, name);
    const bool have = i % 3 != 2;
    if (have) bag.put(record);
    const Symbol symbol = mark_of(bag.digest().key(), record).symbol;
    differences.push_back({symbol, have ? Holder::ours : Holder::theirs});
    if (have) ours.insert(name);
    if (!have) theirs.insert(to_number(symbol));
    if (i % 3 != 1) continue;  // they have another row of the same name
    record.incarnation = Incarnation{9};
    differences.push_back({mark_of(bag.digest().key(), record).symbol, Holder::theirs});
  }
  std::set<std::string> sent;
  std::set<std::uint64_t> wanted;
  std::uint32_t burst = 0, want_messages = 0;
  bag.on_send([&](const Endpoint&, Bytes bytes) {
    const auto message = decode_sync(bytes.subspan(1));
    ++burst;
    if (const auto* const want = std::get_if<SyncWant>(&message->body)) {
      ++want_messages;
      for (std::size_t i = 0; i < want->symbols.size(); ++i) wanted.insert(want->symbols[i]);
      return;
    }
    SyncRecordReader reader(std::get<SyncRecords>(message->body).records);
    for (SyncRecord record; reader.next(record);) sent.emplace(record.name);
  });
  Delivery delivery;
  EXPECT_TRUE(delivery.done());
  delivery.begin(differences);
  std::uint32_t bursts = 0;
  while (!delivery.done()) {
    burst = 0;
    SyncOutbox out(bag, {}, sync_message_bytes_max);
    delivery.send_burst({}, out);
    ++bursts;
    EXPECT_LE(burst, 16U + 1 + 1 + 8);
  }
  EXPECT_EQ(sent, ours);
  EXPECT_EQ(wanted, theirs);
  EXPECT_GT(bursts, 3U);
  // All but the last of a burst are full.
  EXPECT_LE(want_messages, theirs.size() / sync_want_symbols_max + bursts);
}

}  // namespace
}  // namespace starling
