#include "wire/sync_records.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/alloc_counter.h"

namespace starling {
namespace {

struct Row {
  std::string name;
  std::uint32_t incarnation = 1;
  MemberState state = MemberState::alive;
  Endpoint endpoint{IpAddress::v4(10, 0, 0, 1), 7946};
  Versions versions;
  std::string meta;
  std::uint64_t status_time = 0;

  SyncRecord record() const {
    return {name,           Incarnation{incarnation}, state, endpoint, versions,
            as_bytes(meta), LamportTime{status_time}};
  }
  bool operator==(const Row&) const = default;
};

Row row_of(const SyncRecord& record) {
  return {std::string(record.name),
          to_number(record.incarnation),
          record.state,
          record.endpoint,
          record.versions,
          std::string(as_text(record.meta)),
          to_number(record.status_time)};
}

std::vector<std::byte> pack(std::span<const Row> rows) {
  std::vector<std::byte> room(rows.size() * sync_record_bytes_max);
  Writer out(room);
  SyncRecordWriter writer(out);
  for (const Row& row : rows) EXPECT_TRUE(writer.add(row.record()));
  EXPECT_EQ(writer.count(), rows.size());
  room.resize(out.size());
  return room;
}

std::vector<Row> unpack(Bytes bytes) {
  SyncRecordReader reader(bytes);
  std::vector<Row> rows;
  for (SyncRecord record; reader.next(record);) rows.push_back(row_of(record));
  EXPECT_TRUE(reader.ok()) << reader.error().field;
  return rows;
}

void expect_same(const std::vector<Row>& rows) {
  EXPECT_EQ(unpack(pack(rows)), rows);
}

IpAddress v6(std::uint8_t last) {
  std::array<std::byte, 16> raw{};
  raw[0] = std::byte{0xfd};
  raw[15] = std::byte{last};
  return IpAddress(raw);
}

TEST(SyncRecords, EveryField) {
  expect_same({});
  expect_same({{.name = "a"}});
  expect_same({{.name = std::string(255, 'x'),
                .incarnation = UINT32_MAX,
                .state = MemberState::left,
                .endpoint = {v6(1), 65535},
                .versions = {9, 8, 7, 6, 5, 4},
                .meta = std::string(512, 'm'),
                .status_time = UINT64_MAX}});
  for (const MemberState state :
       {MemberState::alive, MemberState::suspect, MemberState::dead, MemberState::left}) {
    expect_same({{.name = "n", .state = state}, {.name = "m", .state = state}});
  }
}

TEST(SyncRecords, NamesShareWhatTheyCan) {
  const std::vector<std::string> names{"web-1.example.com",
                                       "web-2.example.com",
                                       "web-2.example.com",
                                       "db-10.example.com",
                                       "x",
                                       "xx",
                                       "xxx",
                                       "x",
                                       "web",
                                       "aweb",
                                       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                                       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
  for (const std::string& first : names) {
    for (const std::string& second : names) {
      for (const std::string& third : names) {
        expect_same({{.name = first}, {.name = second}, {.name = third}});
      }
    }
  }
}

// More distinct addresses and metas than are remembered, coming back in many distances.
TEST(SyncRecords, IndexesAreUsedInTurn) {
  for (std::uint32_t period = 1; period < 45; ++period) {
    std::vector<Row> rows;
    for (std::uint32_t i = 0; i < 150; ++i) {
      const std::uint32_t which = i % period;
      rows.push_back(
          {.name = "n" + std::to_string(i),
           .endpoint = {which % 3 == 0   ? v6(static_cast<std::uint8_t>(which))
                        : which % 7 == 1 ? IpAddress()
                                         : IpAddress::v4(1, 2, 3, static_cast<std::uint8_t>(which)),
                        static_cast<std::uint16_t>(i % 2)},
           .meta = which % 5 == 4 ? "" : "meta " + std::to_string(which),
           .status_time = i});
      rows.back().versions.delegate_current = static_cast<std::uint8_t>(which % 4);
    }
    expect_same(rows);
  }
}

// The promise of the header: 16-byte names that share nothing, an address each, shared meta and
// versions.
TEST(SyncRecords, CostsNoMoreThanThirtyBytes) {
  std::vector<Row> rows;
  for (std::uint32_t i = 0; i < 50; ++i) {
    Row row{.name = std::string(16, static_cast<char>('A' + i)),
            .endpoint = {IpAddress::v4(10, 0, 0, static_cast<std::uint8_t>(i)), 7946},
            .meta = i % 2 == 0 ? "role=web,dc=north,rack=12" : "role=db,dc=north,rack=11",
            .status_time = 1000};
    rows.push_back(row);
  }
  const std::size_t first_two = pack(std::span(rows).first(2)).size();
  EXPECT_EQ(pack(rows).size() - first_two, 48U * 27);
  expect_same(rows);
}

TEST(SyncRecords, WhatDoesNotFitIsNotWritten) {
  const Row small{.name = "n1", .meta = "role=web"};
  const Row large{
      .name = "n2", .endpoint = {IpAddress::v4(1, 1, 1, 1), 1}, .meta = std::string(300, 'x')};
  const Row again{.name = "n3", .endpoint = {IpAddress::v4(10, 0, 0, 1), 7946}, .meta = "role=web"};
  for (std::size_t bytes = 0; bytes < 100; ++bytes) {
    std::vector<std::byte> room(bytes);
    Writer out(room);
    SyncRecordWriter writer(out);
    std::vector<Row> fitted;
    for (const Row& row : {small, large, again}) {
      if (writer.add(row.record())) fitted.push_back(row);
    }
    EXPECT_EQ(writer.count(), fitted.size());
    EXPECT_EQ(unpack(out.written()), fitted);
  }
}

// Cut anywhere: a fault, or fewer records; never something else.
TEST(SyncRecords, CutShort) {
  std::vector<Row> rows;
  for (std::uint32_t i = 0; i < 6; ++i) {
    rows.push_back({.name = "node-" + std::to_string(i),
                    .incarnation = 1000 * i,
                    .endpoint = {i % 2 == 0 ? v6(1) : IpAddress::v4(1, 2, 3, 4),
                                 static_cast<std::uint16_t>(i)},
                    .meta = "m" + std::to_string(i % 2),
                    .status_time = 1ULL << (8 * i)});
    rows.back().versions.protocol_max = static_cast<std::uint8_t>(i);
  }
  const std::vector<std::byte> whole = pack(rows);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    SyncRecordReader reader(Bytes(whole).first(size));
    std::size_t count = 0;
    for (SyncRecord record; reader.next(record); ++count) EXPECT_EQ(row_of(record), rows[count]);
    if (!reader.ok()) {
      EXPECT_EQ(reader.error().fault, WireFault::truncated);
    }
  }
}

struct Faulty {
  std::vector<std::uint8_t> bytes;
  std::string_view field;
  WireFault fault;
};

TEST(SyncRecords, Faults) {
  constexpr std::uint8_t plain = 0b11'11'11'00;  // no address, no meta, port and versions as before
  const std::vector<Faulty> cases{
      {{plain, 0x10, 1, 'a', 1, 1}, "name", WireFault::malformed},  // shares with nothing
      {{plain, 0x00, 0, 1, 1}, "name", WireFault::malformed},       // empty
      {{plain, 0x00, 5, 'a'}, "name", WireFault::truncated},
      {{plain, 0x00, 1, 'a', 0xff, 0xff, 0xff, 0xff, 0x1f, 1},
       "incarnation",
       WireFault::out_of_range},
      {{plain, 0x00, 1, 'a', 0x80, 0x00, 1}, "incarnation", WireFault::malformed},
      {{plain, 0x00, 1, 'a', 1, 0x80}, "status_time", WireFault::truncated},
      {{0b11'10'11'00, 0x00, 1, 'a', 1, 1, 0}, "address", WireFault::out_of_range},
      {{0b11'10'11'00, 0x00, 1, 'a', 1, 1, 32}, "address", WireFault::out_of_range},
      {{0b11'00'11'00, 0x00, 1, 'a', 1, 1, 1, 2, 3}, "address", WireFault::truncated},
      {{0b11'11'01'00, 0x00, 1, 'a', 1, 1, 1}, "port", WireFault::truncated},
      {{0b11'11'10'00, 0x00, 1, 'a', 1, 1, 1, 2, 3, 4, 5}, "versions", WireFault::truncated},
      {{0b01'11'11'00, 0x00, 1, 'a', 1, 1, 0}, "meta", WireFault::out_of_range},
      {{0b01'11'11'00, 0x00, 1, 'a', 1, 1, 16}, "meta", WireFault::out_of_range},
      {{0b10'11'11'00, 0x00, 1, 'a', 1, 1, 2, 1}, "meta", WireFault::too_large},
      {{0b10'11'11'00, 0x00, 1, 'a', 1, 1, 0, 2, 'm'}, "meta", WireFault::truncated},
  };
  for (const Faulty& one : cases) {
    SyncRecordReader reader(std::as_bytes(std::span(one.bytes)));
    SyncRecord record;
    EXPECT_FALSE(reader.next(record));
    ASSERT_FALSE(reader.ok());
    EXPECT_EQ(reader.error().field, one.field);
    EXPECT_EQ(reader.error().fault, one.fault) << one.field;
    EXPECT_FALSE(reader.next(record));
  }
}

TEST(SyncRecords, ANameMayNotGrowBeyondItsLimit) {
  std::vector<std::byte> bytes = pack(std::vector<Row>{{.name = std::string(255, 'a')}});
  const std::uint8_t plain = 0b11'11'11'00;
  for (const std::uint8_t byte : {plain, std::uint8_t{0xff}, std::uint8_t{226}}) {
    bytes.push_back(std::byte{byte});
  }
  bytes.resize(bytes.size() + 226, std::byte{'b'});
  bytes.resize(bytes.size() + 2, std::byte{1});
  SyncRecordReader reader(bytes);
  SyncRecord record;
  EXPECT_TRUE(reader.next(record));
  EXPECT_FALSE(reader.next(record));
  EXPECT_EQ(reader.error().fault, WireFault::too_large);
}

TEST(SyncRecords, AllocatesNothing) {
  const Row row{.name = "node-1", .meta = "role=web"};
  std::array<std::byte, 1400> room;
  const test::AllocationCounter allocations;
  Writer out(room);
  SyncRecordWriter writer(out);
  while (writer.add(row.record())) {
  }
  SyncRecordReader reader(out.written());
  std::uint32_t count = 0;
  for (SyncRecord record; reader.next(record);) ++count;
  EXPECT_EQ(allocations.count(), 0U);
  EXPECT_EQ(count, writer.count());
}

}  // namespace
}  // namespace starling
