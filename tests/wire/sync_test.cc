#include "wire/sync.h"

#include <gtest/gtest.h>

#include <vector>

namespace starling {
namespace {

using ByteVector = std::vector<std::byte>;
constexpr SyncHeader header{.exchange = ExchangeId{0xdeadbeef}, .from_responder = true};

template <class Message>
ByteVector written(const Message& message, const SyncHeader& head = header) {
  ByteVector room(sync_message_bytes_max);
  Writer out(room);
  encode(head, message, out);
  EXPECT_TRUE(out.ok());
  room.resize(out.size());
  return room;
}

SyncMessage read(Bytes message) {
  EXPECT_EQ(message[0], std::byte{sync_message_type});
  const auto decoded = decode_sync(message.subspan(1));
  EXPECT_TRUE(decoded.has_value());
  return *decoded;
}

template <class Message>
Message read_as(const ByteVector& bytes) {
  const SyncMessage message = read(bytes);
  EXPECT_EQ(message.header.exchange, header.exchange);
  EXPECT_TRUE(message.header.from_responder);
  return std::get<Message>(message.body);
}

ByteVector cell_bytes(std::size_t cells) {
  ByteVector room(cells * sync_cell_bytes);
  Writer out(room);
  for (std::size_t i = 0; i < cells; ++i) {
    put_cell(
        {.sum = 0x0102030405060708 + i, .check = 0xa0b0c0d0, .count = static_cast<std::uint8_t>(i)},
        out);
  }
  return room;
}

TEST(Sync, TheHeader) {
  for (const bool from_responder : {false, true}) {
    const ByteVector bytes =
        written(SyncFinished{}, {.exchange = ExchangeId{7}, .from_responder = from_responder});
    const SyncMessage message = read(bytes);
    EXPECT_EQ(message.header.exchange, ExchangeId{7});
    EXPECT_EQ(message.header.from_responder, from_responder);
  }
}

TEST(Sync, Digest) {
  const ByteVector sums(100, std::byte{0x5a});
  const ByteVector cells = cell_bytes(3);
  const ByteVector bytes = written(SyncDigest{.root = 1ULL << 63,
                                              .count = 1'000'000,
                                              .byte = 7,
                                              .fold_log2 = 9,
                                              .first_bucket = 412,
                                              .sums = sums,
                                              .cells = SyncCells(cells)});
  const auto message = read_as<SyncDigest>(bytes);
  EXPECT_EQ(message.root, 1ULL << 63);
  EXPECT_EQ(message.count, 1'000'000U);
  EXPECT_EQ(message.byte, 7);
  EXPECT_EQ(message.fold_log2, 9);
  EXPECT_EQ(message.first_bucket, 412);
  EXPECT_TRUE(equal(message.sums, sums));
  ASSERT_EQ(message.cells.size(), 3U);
  EXPECT_EQ(message.cells[2],
            (SyncCell{.sum = 0x010203040506070a, .check = 0xa0b0c0d0, .count = 2}));
}

TEST(Sync, Differing) {
  const ByteVector bitmap{std::byte{0b1000'0001}, std::byte{0b0100'0000}};
  const ByteVector bytes = written(SyncDiffering{.root = 5,
                                                 .count = 6,
                                                 .cells_held = 4096,
                                                 .fold_log2 = 12,
                                                 .first_bucket = 4086,
                                                 .buckets = 10,
                                                 .bitmap = bitmap});
  const auto message = read_as<SyncDiffering>(bytes);
  EXPECT_EQ(message.cells_held, 4096U);
  EXPECT_EQ(message.first_bucket, 4086);
  ASSERT_EQ(message.buckets, 10);
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(message.differs(i), i == 0 || i == 7 || i == 9);
  EXPECT_EQ(message.cells.size(), 0U);
}

TEST(Sync, TheSmallOnes) {
  const auto wanted = read_as<SyncCellsWanted>(written(SyncCellsWanted{.first = 17, .count = 848}));
  EXPECT_EQ(wanted.first, 17U);
  EXPECT_EQ(wanted.count, 848U);

  const ByteVector cells = cell_bytes(1);
  const ByteVector part_bytes =
      written(SyncCellsPart{.root = 9, .first = 100, .cells = SyncCells(cells)});
  const auto part = read_as<SyncCellsPart>(part_bytes);
  EXPECT_EQ(part.root, 9U);
  EXPECT_EQ(part.first, 100U);
  EXPECT_EQ(part.cells.size(), 1U);

  const ByteVector symbols(16, std::byte{0x11});
  for (const bool last : {false, true}) {
    const ByteVector bytes = written(SyncWant{.last = last, .symbols = SyncSymbols(symbols)});
    const auto want = read_as<SyncWant>(bytes);
    EXPECT_EQ(want.last, last);
    ASSERT_EQ(want.symbols.size(), 2U);
    EXPECT_EQ(want.symbols[1], 0x1111111111111111U);
  }

  const auto range = read_as<SyncRangeWanted>(
      written(SyncRangeWanted{.first_bucket = 4000, .buckets = 96, .page = 3, .sum = 77}));
  EXPECT_EQ(range.first_bucket, 4000);
  EXPECT_EQ(range.buckets, 96);
  EXPECT_EQ(range.page, 3);
  EXPECT_EQ(range.sum, 77U);

  const auto finished =
      read_as<SyncFinished>(written(SyncFinished{.serial = 200, .root = 12, .count = 13}));
  EXPECT_EQ(finished.serial, 200);
  EXPECT_EQ(finished.root, 12U);
  EXPECT_EQ(finished.count, 13U);
}

TEST(Sync, Records) {
  const ByteVector inside(20, std::byte{1});
  for (std::uint8_t flags = 0; flags <= SyncRecords::flags_known; ++flags) {
    const SyncRecords sent{
        .flags = flags,
        .range = {.first_bucket = 1, .buckets = 2, .page = 3, .last_page = 4, .sum = 5},
        .records = inside};
    const ByteVector bytes = written(sent);
    const auto message = read_as<SyncRecords>(bytes);
    EXPECT_EQ(message.flags, flags);
    EXPECT_EQ(message.of_range(), (flags & 4) != 0);
    EXPECT_TRUE(equal(message.records, inside));
    if (!message.of_range()) continue;
    EXPECT_EQ(message.range.first_bucket, 1);
    EXPECT_EQ(message.range.buckets, 2);
    EXPECT_EQ(message.range.page, 3);
    EXPECT_EQ(message.range.last_page, 4);
    EXPECT_EQ(message.range.sum, 5U);
  }
}

TEST(Sync, OffsetsForWhatIsKnownLater) {
  ByteVector bytes = written(SyncRecords{.flags = SyncRecords::flag_range,
                                         .range = {.buckets = 1, .page = 1, .last_page = 1}});
  Writer patch(bytes);
  patch.patch_u16(sync_last_page_offset, 0x0102);
  bytes[sync_flags_offset] |= std::byte{SyncRecords::flag_last};
  const auto message = read_as<SyncRecords>(bytes);
  EXPECT_TRUE(message.last());
  EXPECT_EQ(message.range.last_page, 0x0102);
}

TEST(Sync, CutShortIsAFault) {
  const ByteVector some(13, std::byte{0});
  const std::vector<ByteVector> messages{
      written(SyncDigest{.fold_log2 = 12, .sums = some, .cells = SyncCells(some)}),
      written(
          SyncDiffering{.fold_log2 = 12, .buckets = 104, .bitmap = some, .cells = SyncCells(some)}),
      written(SyncCellsWanted{}),
      written(SyncCellsPart{.cells = SyncCells(some)}),
      written(SyncRangeWanted{.buckets = 1}),
      written(SyncFinished{}),
  };
  for (const ByteVector& message : messages) {
    const Bytes body = Bytes(message).subspan(1);
    for (std::size_t size = 0; size < body.size(); ++size) {
      const auto decoded = decode_sync(body.first(size));
      // Without its only cell a message is whole, too.
      const bool whole =
          body.size() - size == sync_cell_bytes && (body[0] & std::byte{3}) != std::byte{2};
      if (decoded) {
        EXPECT_TRUE(whole) << size;
      } else {
        EXPECT_EQ(decoded.error().fault, WireFault::truncated) << size;
      }
    }
  }
}

template <class Message>
WireError fault_of(const Message& message) {
  const ByteVector bytes = written(message);
  const auto decoded = decode_sync(Bytes(bytes).subspan(1));
  EXPECT_FALSE(decoded.has_value());
  return decoded.has_value() ? WireError{} : decoded.error();
}

TEST(Sync, Faults) {
  const ByteVector sums(5, std::byte{0});
  EXPECT_EQ(fault_of(SyncDigest{.byte = 8}).fault, WireFault::out_of_range);
  EXPECT_EQ(fault_of(SyncDigest{.fold_log2 = 13}).fault, WireFault::out_of_range);
  EXPECT_EQ(fault_of(SyncDigest{.fold_log2 = 2, .sums = sums}).fault, WireFault::out_of_range);
  EXPECT_EQ(fault_of(SyncDigest{.fold_log2 = 12, .first_bucket = 4092, .sums = sums}).fault,
            WireFault::out_of_range);
  EXPECT_EQ(fault_of(SyncDiffering{.fold_log2 = 12, .first_bucket = 1, .buckets = 4096}).fault,
            WireFault::out_of_range);
  EXPECT_EQ(fault_of(SyncRangeWanted{.first_bucket = 0, .buckets = 0}).fault,
            WireFault::out_of_range);
  EXPECT_EQ(fault_of(SyncRangeWanted{.first_bucket = 4095, .buckets = 2}).fault,
            WireFault::out_of_range);
  EXPECT_EQ(fault_of(SyncRecords{.flags = SyncRecords::flag_range, .range = {.buckets = 0}}).fault,
            WireFault::out_of_range);
  EXPECT_EQ(fault_of(SyncRecords{.flags = SyncRecords::flag_range,
                                 .range = {.buckets = 1, .page = 2, .last_page = 1}})
                .fault,
            WireFault::out_of_range);
  EXPECT_EQ(fault_of(SyncRecords{.flags = 8}).fault, WireFault::unsupported);
  const ByteVector too_many((sync_want_symbols_max + 1) * sync_symbol_bytes);
  EXPECT_EQ(fault_of(SyncWant{.symbols = SyncSymbols(too_many)}).fault, WireFault::too_large);

  ByteVector want = written(SyncWant{});
  want[sync_flags_offset] = std::byte{2};
  EXPECT_EQ(decode_sync(Bytes(want).subspan(1)).error().fault, WireFault::unsupported);
  for (std::uint8_t kind = 0;; ++kind) {
    ByteVector bytes = written(SyncRecords{});
    bytes[1] = std::byte{kind};
    const auto decoded = decode_sync(Bytes(bytes).subspan(1));
    if ((kind & 0x7f) > 7) {
      ASSERT_FALSE(decoded.has_value());
      EXPECT_EQ(decoded.error().fault, WireFault::unsupported);
      EXPECT_STREQ(decoded.error().field, "kind");
    }
    if (kind == 255) break;
  }
}

TEST(Sync, EveryKindHasAName) {
  for (std::uint8_t kind = 0; kind < 8; ++kind) EXPECT_NE(to_text(SyncKind{kind}), "unknown");
  EXPECT_EQ(to_text(SyncKind{8}), "unknown");
}

}  // namespace
}  // namespace starling
