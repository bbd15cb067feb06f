#include "core/serf/query_filter.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace starling {
namespace {

bool matches(std::vector<std::string_view> names, std::string_view self) {
  std::array<std::byte, 256> room;
  Writer writer{MutableBytes(room)};
  encode_node_filter(names, writer);
  EXPECT_TRUE(writer.ok());
  const Bytes filter = writer.written();
  EXPECT_EQ(filter[0], std::byte{static_cast<std::uint8_t>(FilterKind::node)});
  const auto decoded = decode_node_filter(filter.subspan(1));
  EXPECT_TRUE(decoded);
  return decoded && node_filter_matches(*decoded, self);
}

TEST(NodeFilter, MatchesIfTheOwnNameIsInTheList) {
  EXPECT_TRUE(matches({"self"}, "self"));
  EXPECT_TRUE(matches({"x", "self", "y"}, "self"));
  EXPECT_FALSE(matches({"x", "y"}, "self"));
  EXPECT_FALSE(matches({"selfish", "sel"}, "self"));
  EXPECT_FALSE(matches({}, "self"));
}

TEST(NodeFilter, AListWithAnythingButNamesMatchesNobody) {
  // ["self", 1]
  const std::array raw = {std::byte{0x92}, std::byte{0xa4}, std::byte{'s'}, std::byte{'e'},
                          std::byte{'l'},  std::byte{'f'},  std::byte{0x01}};
  const auto decoded = decode_node_filter(raw);
  EXPECT_FALSE(decoded && node_filter_matches(*decoded, "self"));
}

}  // namespace
}  // namespace starling
