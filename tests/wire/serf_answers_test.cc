#include <gtest/gtest.h>

#include "tests/support/vectors.h"
#include "wire/serf_messages.h"

namespace starling {
namespace {

using test::from_hex;
using test::to_hex;

TEST(SerfConflict, nil_means_unknown_and_a_map_means_known) {
  Scratch scratch;
  const auto unknown = decode_conflict_response(from_hex("c0"), scratch);
  ASSERT_TRUE(unknown);
  EXPECT_FALSE(unknown->known);
  const auto empty = decode_conflict_response(from_hex("80"), scratch);
  ASSERT_TRUE(empty);
  EXPECT_TRUE(empty->known);
  EXPECT_EQ(empty->versions.protocol_max, 0) << "what is not said is zero, not our default";
  EXPECT_FALSE(decode_conflict_response({}, scratch));
}

TEST(SerfConflict, malformed_tags_spoil_the_answer) {
  Scratch scratch;
  const auto body = from_hex("81a45461677381a16105");
  EXPECT_EQ(decode_conflict_response(body, scratch).error().fault, WireFault::wrong_type);
}

TEST(SerfConflict, versions_find_their_places) {
  ConflictResponse response;
  response.known = true;
  response.port = 1;
  response.name = "n";
  response.versions = {1, 2, 3, 4, 5, 6};
  std::array<std::byte, 256> room;
  Writer out(room);
  const std::array<Tag, 2> tags{Tag{"a", "1"}, Tag{"b", "2"}};
  encode(response, tags, out);
  ASSERT_TRUE(out.ok());
  Scratch scratch;
  const auto again = decode_conflict_response(out.written().subspan(1), scratch);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->versions, response.versions);
  EXPECT_EQ(again->tags.size(), 2u);
}

TEST(SerfKeys, the_empty_key_is_not_nil) {
  std::array<std::byte, 16> room;
  Writer out(room);
  encode(KeyRequest{}, out);
  EXPECT_EQ(to_hex(out.written()), "0781a34b6579a0");
  Scratch scratch;
  EXPECT_TRUE(decode_key_request(from_hex("80"), scratch).value().key.empty());
}

TEST(SerfKeys, a_key_may_come_as_an_array_of_numbers) {
  Scratch scratch;
  const auto body = from_hex("81a34b6579dc0010000102030405060708090a0b0c0d0e0f");
  const auto request = decode_key_request(body, scratch);
  ASSERT_TRUE(request);
  EXPECT_EQ(to_hex(request->key), "000102030405060708090a0b0c0d0e0f");
}

TEST(SerfKeys, a_response_with_a_wrong_list_is_an_error) {
  EXPECT_FALSE(decode_key_response(from_hex("81a44b6579739107")));
  EXPECT_FALSE(decode_key_response(from_hex("81a6526573756c7407")));
  EXPECT_TRUE(decode_key_response(from_hex("81a6526573756c7401")).value().result);
}

}  // namespace
}  // namespace starling
