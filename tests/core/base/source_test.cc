#include "core/base/source.h"

#include <gtest/gtest.h>

namespace starling {
namespace {

IpAddress v6(std::uint8_t network, std::uint8_t host) {
  std::array<std::byte, 16> raw{std::byte{0x20}, std::byte{0x01}};
  raw[7] = std::byte{network};
  raw[15] = std::byte{host};
  return IpAddress(raw);
}

TEST(Source, IsAnIpv4AddressHoweverItIsWritten) {
  const IpAddress plain = IpAddress::v4(192, 0, 2, 1);
  std::array<std::byte, 16> mapped{};
  mapped[10] = mapped[11] = std::byte{0xff};
  std::ranges::copy(plain.bytes(), mapped.begin() + 12);
  EXPECT_EQ(source_of(plain), plain);
  EXPECT_EQ(source_of(IpAddress(mapped)), plain);
  EXPECT_NE(source_of(plain), source_of(IpAddress::v4(192, 0, 2, 2)));
  EXPECT_EQ(source_of(IpAddress()), IpAddress());
}

TEST(Source, IsANetworkOfIpv6) {
  EXPECT_EQ(source_of(v6(1, 1)), source_of(v6(1, 2)));
  EXPECT_NE(source_of(v6(1, 1)), source_of(v6(2, 1)));
}

}  // namespace
}  // namespace starling
