#include "core/serf/query_filter.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
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

// The list as it stands in a query.
struct Filters {
  Filters(std::vector<std::string_view> names, std::vector<TagFilter> tags) {
    Writer out{MutableBytes(room)};
    const auto count = write_filters(names, tags, out, scratch);
    EXPECT_TRUE(count);
    list = BytesList(out.written(), count.value_or(0));
  }
  std::array<std::byte, 512> room, scratch;
  BytesList list;
};

TEST(QueryFilters, OneForAllNamesAndOneForEachTag) {
  EXPECT_EQ(Filters({}, {}).list.size(), 0u);
  const Filters filters({"a", "b"}, {{"role", "web"}, {"dc", ".*"}});
  EXPECT_EQ(filters.list.size(), 3u);
  std::vector<std::string> tags;
  EXPECT_TRUE(for_each_tag_filter(filters.list, [&](const TagFilter& filter) {
    tags.push_back(std::string(filter.tag) + "=" + std::string(filter.expression));
  }));
  EXPECT_EQ(tags, (std::vector<std::string>{"role=web", "dc=.*"}));
}

TEST(QueryFilters, NamesDecideAndTagsAreLeftToTheOwner) {
  EXPECT_EQ(judge_filters(Filters({}, {}).list, "self"), FilterMatch::yes);
  EXPECT_EQ(judge_filters(Filters({"self"}, {}).list, "self"), FilterMatch::yes);
  EXPECT_EQ(judge_filters(Filters({"other"}, {}).list, "self"), FilterMatch::no);
  EXPECT_EQ(judge_filters(Filters({"self"}, {{"role", "web"}}).list, "self"), FilterMatch::by_tags);
  EXPECT_EQ(judge_filters(Filters({"other"}, {{"role", "web"}}).list, "self"), FilterMatch::no);
}

TEST(QueryFilters, WhatCannotBeDecodedMatchesNobody) {
  std::array<std::byte, 64> room;
  const auto judged = [&](std::string_view element) {
    Writer out{MutableBytes(room)};
    msgpack::write_text(out, element);
    return judge_filters(BytesList(out.written(), 1), "self");
  };
  EXPECT_EQ(judged(""), FilterMatch::no);
  EXPECT_EQ(judged(std::string_view("\x02\x90", 2)), FilterMatch::no);  // an unknown kind
  EXPECT_EQ(judged(std::string_view("\x00\xc1", 2)), FilterMatch::no);
  EXPECT_EQ(judged(std::string_view("\x01\xc1", 2)), FilterMatch::no);
}

TEST(QueryFilters, WhatDoesNotFitIsNotWrittenHalf) {
  std::array<std::byte, 8> small;
  std::array<std::byte, 512> large;
  const std::string_view name = "a name of some length";
  Writer out{MutableBytes(large)};
  EXPECT_FALSE(write_filters(std::span(&name, 1), {}, out, small));
  Writer short_out{MutableBytes(small)};
  EXPECT_FALSE(write_filters(std::span(&name, 1), {}, short_out, large));
}

}  // namespace
}  // namespace starling
