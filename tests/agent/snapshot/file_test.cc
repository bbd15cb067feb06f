#include "agent/snapshot/file.h"

#include <csignal>

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "tests/agent/snapshot/text_snapshot.h"
#include "tests/agent/temporary_folder.h"

namespace starling::agent {
namespace {

// While it lives no file may grow beyond `bytes`: every write further fails, as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &before_); }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
};

SnapshotFile opened(const std::string& path) {
  auto file = SnapshotFile::open(path);
  EXPECT_TRUE(file) << file.error();
  return std::move(*file);
}

TEST(SnapshotFile, IsCreatedAndAppendedTo) {
  const TemporaryFolder folder;
  {
    SnapshotFile file = opened(folder.path("s"));
    EXPECT_TRUE(file.append("clock: 1\n"));
    EXPECT_TRUE(file.sync());
  }
  SnapshotFile file = opened(folder.path("s"));
  EXPECT_EQ(file.bytes(), 9U);
  EXPECT_TRUE(file.append("clock: 2\n"));
  EXPECT_EQ(folder.read("s"), "clock: 1\nclock: 2\n");
  const auto refused = SnapshotFile::open(folder.path("no/such"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), "open " + folder.path("no/such") + ": no such file or directory");
}

// After a crash at any byte the file goes on with whole lines.
TEST(SnapshotFile, CutAtAnyByteGoesOn) {
  const TemporaryFolder folder;
  const std::string text =
      "alive: a 10.0.0.1:7946\nclock: 12\nalive: b 10.0.0.2:7946\nclock: 3456\n";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    folder.write("s", text.substr(0, cut));
    opened(folder.path("s")).append("clock: 99\n");
    const Recovered before = recover_text(text.substr(0, cut));
    const Recovered after = recover_text(folder.read("s"));
    EXPECT_EQ(nodes_of(after), nodes_of(before)) << cut;
    EXPECT_EQ(after.clock, 99U) << cut;
    EXPECT_TRUE(after.warnings.empty()) << cut << ": " << folder.read("s");
  }
}

// What is no snapshot at all is not cut to pieces.
TEST(SnapshotFile, LeavesALongLineAlone) {
  const TemporaryFolder folder;
  const std::string line(10'000, 'x');
  folder.write("s", line);
  opened(folder.path("s")).append("clock: 5\n");
  EXPECT_EQ(folder.read("s"), line + "\nclock: 5\n");
}

TEST(SnapshotFile, IsReplacedInOneStep) {
  const TemporaryFolder folder;
  SnapshotFile file = opened(folder.path("s"));
  ASSERT_TRUE(file.append("old\n"));
  ASSERT_TRUE(file.begin_compaction());
  ASSERT_TRUE(file.append_compacted("alive: a 1.1.1.1:1\n"));
  ASSERT_TRUE(file.append("not-alive: b\n"));
  EXPECT_EQ(folder.read("s"), "old\nnot-alive: b\n") << "the old one until the end";
  ASSERT_TRUE(file.finish_compaction());
  EXPECT_EQ(folder.read("s"), "alive: a 1.1.1.1:1\nnot-alive: b\n");
  EXPECT_EQ(file.bytes(), folder.read("s").size());
  ASSERT_TRUE(file.append("clock: 1\n"));
  EXPECT_EQ(folder.read("s"), "alive: a 1.1.1.1:1\nnot-alive: b\nclock: 1\n");
  EXPECT_FALSE(std::filesystem::exists(folder.path("s.compact")));

  ASSERT_TRUE(file.begin_compaction());
  file.abandon_compaction();
  EXPECT_FALSE(file.compacting());
  EXPECT_FALSE(std::filesystem::exists(folder.path("s.compact")));
}

TEST(SnapshotFile, AFailedAppendLeavesNothingBehind) {
  const TemporaryFolder folder;
  SnapshotFile file = opened(folder.path("s"));
  ASSERT_TRUE(file.append("alive: a 10.0.0.1:7946\n"));
  {
    const FileSizeLimit limit(40);
    const auto failed = file.append("alive: bbbbbbbbbbbb 10.0.0.2:7946\nalive: c 10.0.0.3:7946\n");
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error(), "write " + folder.path("s") + ": file too large");
    EXPECT_EQ(folder.read("s"), "alive: a 10.0.0.1:7946\n");
    EXPECT_TRUE(file.append("clock: 7\n")) << "what fits is written";
  }
  EXPECT_TRUE(file.append("clock: 8888888888888888888\n"));
  EXPECT_EQ(folder.read("s"), "alive: a 10.0.0.1:7946\nclock: 7\nclock: 8888888888888888888\n");
}

TEST(SnapshotFile, AFailedCompactionLeavesTheOldFile) {
  const TemporaryFolder folder;
  SnapshotFile file = opened(folder.path("s"));
  ASSERT_TRUE(file.append("clock: 1\n"));
  const FileSizeLimit limit(30);
  ASSERT_TRUE(file.begin_compaction());
  EXPECT_FALSE(file.append_compacted("alive: bbbbbbbbbbbb 10.0.0.2:7946\n"));
  EXPECT_FALSE(file.compacting());
  EXPECT_FALSE(std::filesystem::exists(folder.path("s.compact")));
  EXPECT_TRUE(file.append("clock: 2\n"));
  EXPECT_EQ(folder.read("s"), "clock: 1\nclock: 2\n");

  // The line fits into the old file and no longer into the new one.
  ASSERT_TRUE(file.begin_compaction());
  ASSERT_TRUE(file.append_compacted("alive: bbb 10.0.0.2:79\n"));
  EXPECT_TRUE(file.append("clock: 3\n"));
  EXPECT_FALSE(file.compacting());
  EXPECT_NE(file.compaction_error().find("file too large"), std::string::npos);
  EXPECT_EQ(folder.read("s"), "clock: 1\nclock: 2\nclock: 3\n");
}

// A disk that is really full, where the test may mount one.
TEST(SnapshotFile, OnAFullDisk) {
  const TemporaryFolder folder;
  const std::string disk = folder.path("disk");
  std::filesystem::create_directory(disk);
  if (mount("starling", disk.c_str(), "tmpfs", 0, "size=64k") != 0) {
    GTEST_SKIP() << "no right to mount a small file system";
  }
  {
    SnapshotFile file = opened(disk + "/s");
    const std::string line = "alive: " + std::string(1000, 'n') + " 10.0.0.2:7946\n";
    std::size_t lines = 0;
    while (lines < 1000 && file.append(line)) ++lines;
    EXPECT_GT(lines, 30U);
    EXPECT_LT(lines, 100U);
    const auto failed = file.append(line);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error(), "write " + disk + "/s: no space left on device");
    // No room for a new one either; the old one stays whole.
    if (file.begin_compaction()) {
      EXPECT_FALSE(file.append_compacted(std::string(8192, 'x') + "\n"));
    }
    const auto recovered = recover_file(disk + "/s", {});
    ASSERT_TRUE(recovered);
    EXPECT_EQ(recovered->nodes.size(), 1U);
    EXPECT_TRUE(recovered->warnings.empty());
    EXPECT_EQ(std::filesystem::file_size(disk + "/s"), file.bytes());
  }
  EXPECT_EQ(umount(disk.c_str()), 0);
}

}  // namespace
}  // namespace starling::agent
