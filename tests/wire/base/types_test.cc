#include "wire/base/types.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>
#include <vector>

namespace starling {
namespace {

TEST(Types, an_address_has_4_or_16_bytes_or_none) {
  const std::vector<std::byte> raw(32, std::byte{9});
  for (std::size_t size = 0; size <= raw.size(); ++size) {
    const IpAddress address(Bytes(raw).first(size));
    EXPECT_EQ(address.bytes().size(), size == 4 || size == 16 ? size : 0) << size;
    EXPECT_EQ(address.empty(), size != 4 && size != 16) << size;
  }
}

TEST(Types, a_mapped_address_is_not_the_short_one) {
  const IpAddress shorter = IpAddress::v4(127, 0, 0, 1);
  std::array<std::byte, 16> mapped{};
  mapped[10] = mapped[11] = std::byte{0xff};
  mapped[12] = std::byte{127};
  mapped[15] = std::byte{1};
  EXPECT_NE(shorter, IpAddress(mapped));
  EXPECT_EQ(IpAddress(mapped), IpAddress(mapped));
  EXPECT_TRUE(equal(shorter.bytes(), as_bytes(std::string_view("\x7f\0\0\x01", 4))));
}

TEST(Types, endpoints_order_by_address_then_port) {
  const Endpoint low{IpAddress::v4(127, 0, 0, 1), 9};
  const Endpoint high_port{IpAddress::v4(127, 0, 0, 1), 10};
  const Endpoint high_address{IpAddress::v4(127, 0, 0, 2), 1};
  EXPECT_LT(low, high_port);
  EXPECT_LT(high_port, high_address);
}

TEST(Types, bytes_and_text_are_the_same_memory) {
  const std::string text("a\0b", 3);
  EXPECT_EQ(as_text(as_bytes(text)), text);
  EXPECT_EQ(as_text(as_bytes(text)).data(), text.data());
  EXPECT_FALSE(equal(as_bytes("ab"), as_bytes("a")));
}

TEST(Types, every_fault_has_its_own_text) {
  std::set<std::string_view> seen;
  for (std::uint8_t value = 0; value <= static_cast<std::uint8_t>(WireFault::no_space); ++value) {
    const std::string_view text = to_text(static_cast<WireFault>(value));
    EXPECT_FALSE(text.empty());
    EXPECT_TRUE(seen.insert(text).second) << text;
  }
}

TEST(Types, the_numbers_that_peers_see) {
  EXPECT_EQ(static_cast<int>(MemberState::alive), 0);
  EXPECT_EQ(static_cast<int>(MemberState::suspect), 1);
  EXPECT_EQ(static_cast<int>(MemberState::dead), 2);
  EXPECT_EQ(static_cast<int>(MemberState::left), 3);
  EXPECT_EQ(static_cast<int>(MemberStatus::failed), 4);
  EXPECT_EQ(to_number(Incarnation{4'000'000'000U}), 4'000'000'000U);
  EXPECT_EQ(to_number(LamportTime{1ULL << 40}), 1ULL << 40);
}

}  // namespace
}  // namespace starling
