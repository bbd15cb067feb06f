#include "wire/tags.h"

#include <gtest/gtest.h>

#include "tests/support/serf_json.h"

namespace starling {
namespace {

using test::from_hex;
using test::load_vectors;
using test::tags_json;
using test::to_hex;

TEST(Tags, decode_and_encode_every_recording) {
  std::size_t checked = 0;
  for (const auto& vector : load_vectors("serf.json")["message_bodies"]) {
    const auto name = vector["name"].get<std::string>();
    if (!name.starts_with("tags_")) continue;
    SCOPED_TRACE(name);
    ++checked;
    const auto meta = from_hex(vector["hex"].get<std::string>());
    auto expected = vector["decoded"];
    if (name == "tags_nil") expected = nlohmann::json::object();
    if (name == "tags_empty_proto2") expected = {{"role", ""}};  // section 2: what receivers see
    EXPECT_EQ(tags_json(meta), expected);
    if (vector.contains("hex_head")) {
      EXPECT_EQ(tags_json(from_hex(vector["hex_head"].get<std::string>())), expected);
    }
    const auto decoded = decode_meta(meta);
    ASSERT_TRUE(decoded);
    if (decoded->bare_role) continue;
    std::vector<Tag> tags;
    ASSERT_TRUE(decoded->tags.for_each([&](Tag tag) { tags.push_back(tag); }));
    std::array<std::byte, meta_bytes_max> room;
    Writer out(room);
    encode_meta(tags, out);
    EXPECT_EQ(to_hex(out.written()), vector["hex"]);
  }
  EXPECT_EQ(checked, 6u);
}

TEST(Tags, live_metadata) {
  for (const auto& vector : load_vectors("serf.json")["live_udp"]) {
    if (vector["kind"] != "alive meta (tags)") continue;
    EXPECT_EQ(tags_json(from_hex(vector["meta_hex"].get<std::string>())), vector["decoded"]);
  }
}

TEST(Tags, malformed_maps_keep_what_came_before) {
  EXPECT_EQ(tags_json(from_hex("ff")), (nlohmann::json{{"error", "malformed"}}));
  EXPECT_EQ(tags_json(from_hex("ff05")), (nlohmann::json{{"error", "malformed"}}));
  EXPECT_EQ(tags_json(from_hex("ff82a161a162a163")),
            (nlohmann::json{{"a", "b"}, {"error", "malformed"}}));
  EXPECT_EQ(tags_json(from_hex("ffdfffffffffa161a162")),
            (nlohmann::json{{"a", "b"}, {"error", "malformed"}}));
}

TEST(Tags, bare_bytes_are_a_role) {
  const auto meta = decode_meta(as_bytes("web"));
  ASSERT_TRUE(meta);
  EXPECT_TRUE(meta->bare_role);
  EXPECT_EQ(meta->role, "web");
}

TEST(Tags, a_map_inside_a_message_is_checked_whole) {
  const auto good = from_hex("81a161a16207");
  Reader in(good);
  EXPECT_EQ(read_tag_map(in).size(), 1u);
  EXPECT_EQ(in.left(), 1u);
  const auto bad = from_hex("82a161a162a16307");
  Reader broken(bad);
  EXPECT_EQ(read_tag_map(broken).size(), 0u);
  EXPECT_FALSE(broken.ok());
}

}  // namespace
}  // namespace starling
