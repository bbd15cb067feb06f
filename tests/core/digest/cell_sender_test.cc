#include "core/digest/cell_sender.h"

#include <gtest/gtest.h>

#include "tests/support/member_bag.h"

namespace starling {
namespace {

TEST(CellSender, CellsForChangedAndLackingRows) {
  EXPECT_EQ(cells_for(0, 10, 10), 12U);
  EXPECT_EQ(cells_for(100, 1000, 1000), 312U);  // changed: two symbols each
  EXPECT_EQ(cells_for(100, 1000, 1100), 162U);  // lacking: one each
  EXPECT_EQ(cells_for(100, 1100, 1000), 162U);
  EXPECT_EQ(cells_for(0, 0, 100), 162U);  // at least as many as the sizes say
  EXPECT_EQ(cells_for(10'000, 1'000'000, 1'000'000), 28'012U);
  EXPECT_EQ(cells_for(1e12, 0, 0), 4'000'000'000U);
}

TEST(CellSender, Saturation) {
  EXPECT_FALSE(is_saturated(0, 512));
  EXPECT_FALSE(is_saturated(496, 512));
  EXPECT_TRUE(is_saturated(497, 512));
  EXPECT_TRUE(is_saturated(512, 512));
}

TEST(CellSender, SendsAsManyAsARequestMayAskForInOrder) {
  test::MemberBag bag({.cells = 1000});
  std::string name;
  for (std::uint32_t i = 0; i < 300; ++i) bag.put(test::made_up_record(i, true, name));
  for (const std::size_t room : {std::size_t{900}, std::size_t{1400}}) {
    for (const auto& [first, count] : {std::pair{0U, 1000U},
                                       {0U, 0U},
                                       {5U, 1U},
                                       {900U, 500U},
                                       {1000U, 1U},
                                       {4'000'000'000U, 4'000'000'000U}}) {
      std::uint32_t next = first;
      bag.on_send([&](const Endpoint&, Bytes bytes) {
        EXPECT_LE(bytes.size(), room);
        const auto message = decode_sync(bytes.subspan(1));
        const auto& part = std::get<SyncCellsPart>(message->body);
        EXPECT_EQ(part.root, bag.digest().root().sum);
        EXPECT_EQ(part.first, next);
        for (std::size_t i = 0; i < part.cells.size(); ++i, ++next) {
          EXPECT_EQ(part.cells[i], wire_cell(bag.cells()[next]));
        }
      });
      SyncOutbox out(bag, {}, room);
      send_cells({}, first, count, out);
      const std::uint32_t end =
          first >= 1000 ? first : first + std::min({count, 1000U - first, request_cells_max});
      EXPECT_EQ(next, end);
      EXPECT_LE(out.traffic().messages, 1000 / (room / sync_cell_bytes - 2) + 1);
    }
    EXPECT_LE(cells_of_a_request(room), 8 * room / sync_cell_bytes);
    EXPECT_LE(cells_of_a_request(room), request_cells_max) << "all that is asked for is sent";
  }
}

TEST(CellSender, WireAndBackButForTheCount) {
  const Cell cell{.sum = 7, .check = 8, .count = -1};
  EXPECT_EQ(cell_of(wire_cell(cell)), (Cell{.sum = 7, .check = 8, .count = 255}));
}

}  // namespace
}  // namespace starling
