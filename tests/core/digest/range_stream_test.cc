#include "core/digest/range_stream.h"

#include <gtest/gtest.h>

#include <deque>
#include <functional>

#include "core/base/rng.h"
#include "core/digest/answer.h"
#include "tests/support/member_bag.h"

namespace starling {
namespace {

using std::chrono::milliseconds;

constexpr SyncHeader stream_header{.exchange = ExchangeId{5}};
constexpr RangeStream::Pace pace{.answer_wait = milliseconds(10), .asks_max = 3};

// Two bags and a wire in memory, which may swallow what the peer sends.
struct Pair {
  test::MemberBag ours{{.cells = 0}};
  test::MemberBag theirs{{.cells = 0}};
  test::ArenaBlock block{RangeStream::footprint() + cache_line_bytes};
  RangeStream stream{block.arena()};
  std::deque<std::vector<std::byte>> to_them, to_us;
  Instant now{};
  std::uint32_t asked = 0, rows_sent = 0;
  std::function<bool()> swallow = [] { return false; };

  Pair() {
    ours.on_send(
        [&](const Endpoint&, Bytes bytes) { to_them.emplace_back(bytes.begin(), bytes.end()); });
    theirs.on_send(
        [&](const Endpoint&, Bytes bytes) { to_us.emplace_back(bytes.begin(), bytes.end()); });
  }
  static void fill(test::MemberBag& bag, std::uint32_t first, std::uint32_t end,
                   std::uint32_t incarnation = 1) {
    for (std::uint32_t i = first; i < end; ++i) {
      std::string name;
      MemberRecord record = test::made_up_record(i, true, name);
      record.incarnation = Incarnation{incarnation};
      bag.put(record);
    }
  }
  void begin(std::uint32_t rows) {
    SyncOutbox out(ours, {}, 1400);
    stream.begin(now, pace, rows, stream_header, out);
  }
  bool on_time() {
    SyncOutbox out(ours, {}, 1400);
    return stream.on_time(now, stream_header, out);
  }
  // Until nothing is on the wire.
  void exchange() {
    while (!to_them.empty() || !to_us.empty()) {
      if (!to_them.empty()) {
        const auto bytes = to_them.front();
        to_them.pop_front();
        const SyncMessage message = *decode_sync(Bytes(bytes).subspan(1));
        if (std::holds_alternative<SyncRangeWanted>(message.body)) ++asked;
        answer({}, message, 1400, theirs);
      } else {
        const auto bytes = to_us.front();
        to_us.pop_front();
        if (swallow()) continue;
        const SyncMessage message = *decode_sync(Bytes(bytes).subspan(1));
        const auto& records = std::get<SyncRecords>(message.body);
        if (!records.of_range()) continue;
        SyncOutbox out(ours, {}, 1400);
        stream.on_page(now, records, stream_header, out);
      }
    }
  }
};

TEST(RangeStream, MakesBothEqual) {
  Pair pair;
  Pair::fill(pair.ours, 0, 3000);
  Pair::fill(pair.theirs, 2000, 6000);
  Pair::fill(pair.theirs, 2000, 2500, 7);
  Pair::fill(pair.ours, 2500, 3000, 7);
  pair.stream.clear();
  pair.stream.mark_all();
  pair.begin(4000);
  pair.exchange();
  EXPECT_TRUE(pair.stream.done());
  EXPECT_EQ(pair.ours.digest().root(), pair.theirs.digest().root());
  EXPECT_EQ(pair.ours.digest().count(), 6000U);
  EXPECT_GT(pair.stream.waves(), 1U);
  EXPECT_FALSE(pair.stream.next_due().has_value());
}

TEST(RangeStream, NothingMarkedIsDone) {
  Pair pair;
  pair.stream.clear();
  pair.begin(0);
  EXPECT_TRUE(pair.stream.done());
  EXPECT_TRUE(pair.to_them.empty());
}

TEST(RangeStream, OnlyWhatIsMarked) {
  Pair pair;
  Pair::fill(pair.theirs, 0, 5000);
  pair.stream.clear();
  pair.stream.mark(12, 100);
  pair.stream.mark(9, 200);
  pair.begin(5000);
  pair.exchange();
  const DigestSum& digest = pair.theirs.digest();
  EXPECT_EQ(pair.ours.digest().root().sum,
            digest.sum(Bucket{100}, 1) + digest.sum(Bucket{1600}, 8));
}

TEST(RangeStream, GoesOnAfterLoss) {
  Pair pair;
  Pair::fill(pair.theirs, 0, 4000);
  pair.stream.clear();
  pair.stream.mark_all();
  Rng rng(3);
  pair.swallow = [&] { return rng.chance(0.2); };
  pair.begin(4000);
  for (int i = 0; i < 200 && !pair.stream.done(); ++i) {
    pair.exchange();
    pair.now += milliseconds(10);
    ASSERT_TRUE(pair.on_time());
  }
  EXPECT_TRUE(pair.stream.done());
  EXPECT_EQ(pair.ours.digest().root(), pair.theirs.digest().root());
  EXPECT_GT(pair.stream.asked_again(), 0U);
}

TEST(RangeStream, GivesUpOnSilence) {
  Pair pair;
  pair.stream.clear();
  pair.stream.mark_all();
  pair.begin(1'000'000);
  const std::size_t at_first = pair.to_them.size();
  EXPECT_EQ(at_first, ranges_max);
  EXPECT_TRUE(pair.on_time());  // not due yet
  EXPECT_EQ(pair.to_them.size(), at_first);
  int asked = 1;
  do {
    pair.now = *pair.stream.next_due();
    ++asked;
  } while (pair.on_time());
  EXPECT_EQ(asked, 4);
  EXPECT_LE(pair.to_them.size(), 4 * ranges_max);
}

// Pages that nobody asked for, of ranges that nobody asked for, or twice.
TEST(RangeStream, TakesOnlyWhatItAskedFor) {
  Pair pair;
  Pair::fill(pair.ours, 0, 10);
  pair.stream.clear();
  pair.stream.mark(12, 7);
  pair.begin(1'000'000);
  std::array<std::byte, 100> room;
  Writer packed(room);
  std::string name;
  SyncRecordWriter(packed).add(to_wire(test::made_up_record(77, true, name)));
  const auto give = [&](SyncRange range) {
    SyncOutbox out(pair.ours, {}, 1400);
    range.sum = 12345;
    pair.stream.on_page(
        pair.now, {.flags = SyncRecords::flag_range, .range = range, .records = packed.written()},
        stream_header, out);
    return pair.ours.applied();
  };
  EXPECT_EQ(give({.first_bucket = 8, .buckets = 1, .page = 0, .last_page = 1}), 0U);
  EXPECT_EQ(give({.first_bucket = 7, .buckets = 2, .page = 0, .last_page = 1}), 0U);
  EXPECT_EQ(give({.first_bucket = 7, .buckets = 1, .page = 1, .last_page = 1}), 0U);
  EXPECT_EQ(give({.first_bucket = 7, .buckets = 1, .page = 64, .last_page = 64}), 0U);
  EXPECT_EQ(give({.first_bucket = 7, .buckets = 1, .page = 65535, .last_page = 65535}), 0U);
  EXPECT_EQ(give({.first_bucket = 7, .buckets = 1, .page = 0, .last_page = 65535}), 1U);
  EXPECT_EQ(give({.first_bucket = 7, .buckets = 1, .page = 0, .last_page = 65535}), 1U);
  EXPECT_EQ(pair.to_them.size(), range_pages_max);  // no more pages than that
  for (std::uint16_t page = 1; page < range_pages_max; ++page) {
    EXPECT_FALSE(pair.stream.done());
    give({.first_bucket = 7, .buckets = 1, .page = page, .last_page = 65535});
  }
  EXPECT_TRUE(pair.stream.done());
}

}  // namespace
}  // namespace starling
