#include "core/digest/symbol.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace starling {
namespace {

MemberRecord sample() {
  return {.name = "node-1",
          .hash = hash_name("node-1"),
          .incarnation = Incarnation{7},
          .endpoint = {IpAddress::v4(10, 1, 2, 3), 7946},
          .meta = as_bytes("role=web"),
          .status_time = LamportTime{9}};
}

TEST(Symbol, HasTheNamesTopBits) {
  const DigestKey key;
  for (int i = 0; i < 1000; ++i) {
    const std::string name = "node-" + std::to_string(i);
    MemberRecord record = sample();
    record.name = name;
    record.hash = hash_name(name);
    const Mark mark = mark_of(key, record);
    EXPECT_EQ(to_number(mark.symbol) >> 40, to_number(record.hash) >> 40);
    EXPECT_EQ(name_part(mark.symbol), to_number(record.hash) >> 40);
    EXPECT_EQ(bucket_of(mark.symbol), bucket_of(record.hash));
  }
}

TEST(Symbol, EveryFieldCounts) {
  const DigestKey key;
  std::vector<MemberRecord> records(1, sample());
  const auto vary = [&](auto change) {
    records.push_back(sample());
    change(records.back());
  };
  vary([](MemberRecord& r) { r.name = "node-2"; });
  vary([](MemberRecord& r) { r.name = "node-1\0"; });
  vary([](MemberRecord& r) { r.incarnation = Incarnation{8}; });
  vary([](MemberRecord& r) { r.endpoint.port = 7947; });
  vary([](MemberRecord& r) { r.endpoint.address = IpAddress::v4(10, 1, 2, 4); });
  vary([](MemberRecord& r) { r.endpoint.address = {}; });
  vary([](MemberRecord& r) {
    std::array<std::byte, 16> raw{std::byte{10}, std::byte{1}, std::byte{2}, std::byte{3}};
    r.endpoint.address = IpAddress(raw);
  });
  vary([](MemberRecord& r) { r.meta = {}; });
  vary([](MemberRecord& r) { r.meta = as_bytes("role=wec"); });
  vary([](MemberRecord& r) { r.status_time = LamportTime{10}; });
  for (std::uint8_t Versions::*number :
       {&Versions::protocol_min, &Versions::protocol_max, &Versions::protocol_current,
        &Versions::delegate_min, &Versions::delegate_max, &Versions::delegate_current}) {
    vary([&](MemberRecord& r) { r.versions.*number = 77; });
  }
  records[2].name = std::string_view("node-1\0", 7);
  std::set<std::uint64_t> symbols, weights;
  for (const MemberRecord& record : records) {
    const Mark mark = mark_of(key, record);
    EXPECT_EQ(mark, mark_of(key, record));
    symbols.insert(to_number(mark.symbol) & 0xffffffffff);
    weights.insert(mark.weight);
  }
  EXPECT_EQ(symbols.size(), records.size());
  EXPECT_EQ(weights.size(), records.size());
}

TEST(Symbol, ASuspicionDoesNotCount) {
  const DigestKey key;
  MemberRecord suspect = sample();
  suspect.state = MemberState::suspect;
  EXPECT_EQ(mark_of(key, suspect), mark_of(key, sample()));
  EXPECT_TRUE(is_digested(MemberState::alive));
  EXPECT_TRUE(is_digested(MemberState::suspect));
  EXPECT_FALSE(is_digested(MemberState::dead));
  EXPECT_FALSE(is_digested(MemberState::left));
}

TEST(Symbol, TheKeyDecides) {
  std::set<std::uint64_t> weights;
  std::vector<std::string> keys{"", "a", "b", std::string(16, 'k'), std::string(32, 'k')};
  for (const std::string& text : keys) {
    const DigestKey key(as_bytes(text));
    weights.insert(mark_of(key, sample()).weight);
    EXPECT_EQ(mark_of(key, sample()), mark_of(DigestKey(as_bytes(text)), sample()));
    EXPECT_EQ(key.hash(Symbol{5}), DigestKey(as_bytes(text)).hash(Symbol{5}));
  }
  EXPECT_EQ(weights.size(), keys.size());
}

TEST(Symbol, LongestFields) {
  const DigestKey key;
  MemberRecord record = sample();
  const std::string name(255, 'n'), meta(512, 'm');
  record.name = name;
  record.meta = as_bytes(meta);
  const Mark mark = mark_of(key, record);
  record.meta = record.meta.first(511);
  EXPECT_NE(mark_of(key, record), mark);
}

TEST(Symbol, WireAndBack) {
  const MemberRecord record = sample();
  const MemberRecord back = from_wire(to_wire(record));
  EXPECT_EQ(back.hash, record.hash);
  EXPECT_EQ(mark_of(DigestKey(), back), mark_of(DigestKey(), record));
  EXPECT_EQ(back.state, record.state);
}

}  // namespace
}  // namespace starling
