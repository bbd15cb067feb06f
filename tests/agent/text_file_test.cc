#include "agent/text_file.h"

#include <sys/stat.h>

#include "tests/agent/temporary_folder.h"

namespace starling::agent {
namespace {

TEST(TextFile, WriteReadReplace) {
  const TemporaryFolder folder;
  const std::string path = folder.path("x");
  EXPECT_FALSE(file_exists(path));
  ASSERT_TRUE(write_text_file(path, "one"));
  ASSERT_TRUE(write_text_file(path, "second"));
  EXPECT_EQ(*read_text_file(path), "second");
  EXPECT_TRUE(file_exists(path));
  struct stat status {};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST(TextFile, Errors) {
  EXPECT_EQ(read_text_file("/nonexistent/x").error(),
            "open /nonexistent/x: no such file or directory");
  EXPECT_EQ(write_text_file("/nonexistent/x", "").error(),
            "open /nonexistent/x: no such file or directory");
  EXPECT_EQ(read_text_file("/").error(), "read /: is a directory");
}

}  // namespace
}  // namespace starling::agent
