#include <gtest/gtest.h>

#include "tests/support/vectors.h"
#include "wire/serf_messages.h"

namespace starling {
namespace {

using test::from_hex;
using test::load_vectors;
using test::to_hex;

const nlohmann::json& recorded(std::string_view name) {
  for (const auto& vector : load_vectors("serf.json")["message_bodies"]) {
    if (vector["name"] == name) return vector;
  }
  ADD_FAILURE() << "no vector " << name;
  return load_vectors("serf.json");
}

TEST(SerfFilters, node_filter_reads_and_writes_the_recording) {
  const auto bytes = from_hex(recorded("filter_node")["hex"].get<std::string>());
  const auto filter = decode_node_filter(Bytes(bytes).subspan(1));
  ASSERT_TRUE(filter);
  std::vector<std::string_view> names;
  ASSERT_TRUE(filter->names.for_each([&](Bytes name) { names.push_back(as_text(name)); }));
  EXPECT_EQ(names, (std::vector<std::string_view>{"node-a", "node-b"}));
  std::array<std::byte, 64> room;
  Writer out(room);
  encode_node_filter(names, out);
  EXPECT_EQ(to_hex(out.written()), to_hex(bytes));
}

TEST(SerfFilters, tag_filter_reads_and_writes_the_recording) {
  const auto bytes = from_hex(recorded("filter_tag")["hex"].get<std::string>());
  const auto filter = decode_tag_filter(Bytes(bytes).subspan(1));
  ASSERT_TRUE(filter);
  EXPECT_EQ(filter->tag, "role");
  EXPECT_EQ(filter->expression, "^web.*");
  std::array<std::byte, 64> room;
  Writer out(room);
  encode_tag_filter(*filter, out);
  EXPECT_EQ(to_hex(out.written()), to_hex(bytes));
}

TEST(SerfFilters, broken_ones_are_errors) {
  EXPECT_FALSE(decode_node_filter({}));
  EXPECT_FALSE(decode_node_filter(from_hex("92a161")));
  EXPECT_FALSE(decode_node_filter(from_hex("9105")));
  EXPECT_FALSE(decode_tag_filter({}));
  EXPECT_FALSE(decode_tag_filter(from_hex("81a354616705")));
}

TEST(SerfQuery, refuses_numbers_beyond_their_width) {
  Scratch scratch;
  const auto port = from_hex("81a4506f7274ce00011170");
  EXPECT_EQ(decode_query(port, scratch).error().fault, WireFault::out_of_range);
  const auto factor = from_hex("81ab52656c6179466163746f72cd012c");
  EXPECT_EQ(decode_query(factor, scratch).error().fault, WireFault::out_of_range);
  const auto timeout = from_hex("81a754696d656f7574cfffffffffffffffff");
  EXPECT_EQ(decode_query(timeout, scratch).error().fault, WireFault::out_of_range);
  const auto negative = from_hex("81a754696d656f7574ff");
  EXPECT_EQ(decode_query(negative, scratch).value().timeout_ns, -1);
}

TEST(SerfQuery, a_filter_that_is_no_byte_string_spoils_the_message) {
  Scratch scratch;
  const auto body = from_hex("81a746696c746572739105");
  const auto query = decode_query(body, scratch);
  ASSERT_FALSE(query);
  EXPECT_STREQ(query.error().field, "Filters");
}

TEST(SerfQuery, byte_fields_may_be_arrays) {
  Scratch scratch;
  const auto body = from_hex("81a4416464729401020304");
  const auto query = decode_query(body, scratch);
  ASSERT_TRUE(query);
  EXPECT_EQ(to_hex(query->address), "01020304");
}

TEST(SerfRelay, everything_behind_the_header_is_the_inner_message) {
  Scratch scratch;
  const auto no_inner = from_hex("80");
  const auto empty = decode_relay(no_inner, scratch);
  ASSERT_TRUE(empty);
  EXPECT_TRUE(empty->inner.empty());
  const auto with_inner = from_hex("81a84465737441646472c0050607");
  const auto relay = decode_relay(with_inner, scratch);
  ASSERT_TRUE(relay);
  EXPECT_EQ(to_hex(relay->inner), "050607");
  EXPECT_TRUE(relay->address.empty());
}

TEST(SerfRelay, carries_zones_and_long_addresses) {
  const auto address = from_hex("fe800000000000000000000000000001");
  const Relay relay{.address = address, .port = 70000, .zone = "eth0", .node = "b", .inner = {}};
  std::array<std::byte, 128> room;
  for (const auto style : {SignedStyle::unsigned_form, SignedStyle::signed_form}) {
    Writer out(room);
    encode_relay_header(relay, out, style);
    Scratch scratch;
    const auto again = decode_relay(out.written().subspan(1), scratch);
    ASSERT_TRUE(again);
    EXPECT_TRUE(equal(again->address, address));
    EXPECT_EQ(again->port, 70000);
    EXPECT_EQ(again->zone, "eth0");
    EXPECT_EQ(again->node, "b");
  }
}

}  // namespace
}  // namespace starling
