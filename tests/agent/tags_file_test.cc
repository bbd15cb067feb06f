#include "agent/tags_file.h"

#include "tests/agent/temporary_folder.h"

namespace starling::agent {
namespace {

TEST(TagsFile, ThereAndBack) {
  const TemporaryFolder folder;
  const std::string path = folder.path("tags.json");
  EXPECT_EQ(*read_tags_file(path), Tags{});
  const Tags tags{{"b", "<x>"}, {"a", "1"}};
  ASSERT_TRUE(write_tags_file(path, tags));
  EXPECT_EQ(folder.read("tags.json"), "{\n  \"a\": \"1\",\n  \"b\": \"\\u003cx\\u003e\"\n}");
  EXPECT_EQ(*read_tags_file(path), tags);
  ASSERT_TRUE(write_tags_file(path, {}));
  EXPECT_EQ(folder.read("tags.json"), "{}");
}

TEST(TagsFile, ErrorsNameTheFile) {
  const TemporaryFolder folder;
  const std::string path = folder.write("t", "[");
  EXPECT_EQ(read_tags_file(path).error(), "Failed to decode tags file: " + path + ": not JSON");
  folder.write("t", "[]");
  EXPECT_EQ(read_tags_file(path).error(),
            "Failed to decode tags file: " + path + ": not an object");
  folder.write("t", R"({"a":1})");
  EXPECT_EQ(read_tags_file(path).error(),
            "Failed to decode tags file: " + path + ": tag \"a\" is not a string");
  EXPECT_FALSE(write_tags_file("/nonexistent/t", {}));
}

}  // namespace
}  // namespace starling::agent
