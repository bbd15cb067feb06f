#include "agent/snapshot/writer.h"

#include <vector>

#include <gtest/gtest.h>

#include "tests/agent/temporary_folder.h"

namespace starling::agent {
namespace {

struct WriterFixture {
  TemporaryFolder folder;
  std::mutex mutex;
  std::vector<SnapshotReport> reports;  // guarded by mutex
  std::unique_ptr<SnapshotWriter> writer;

  WriterFixture() {
    auto file = SnapshotFile::open(folder.path("s"));
    EXPECT_TRUE(file) << file.error();
    writer = std::make_unique<SnapshotWriter>(std::move(*file), [this](const SnapshotReport& r) {
      const std::lock_guard lock(mutex);
      reports.push_back(r);
    });
  }
  std::vector<SnapshotReport::Kind> kinds() {
    const std::lock_guard lock(mutex);
    std::vector<SnapshotReport::Kind> all;
    for (const SnapshotReport& report : reports) all.push_back(report.kind);
    return all;
  }
};

using Kind = SnapshotReport::Kind;

TEST(SnapshotWriter, CarriesOutInOrderAndBeforeItEnds) {
  WriterFixture f;
  EXPECT_TRUE(f.writer->append("clock: 1\n"));
  EXPECT_TRUE(f.writer->append("clock: 2\n", true));
  f.writer->begin_compaction();
  f.writer->compact_part("alive: a 1.1.1.1:1\n");
  EXPECT_TRUE(f.writer->append("clock: 3\n"));
  f.writer->compact_part("clock: 2\n");
  f.writer->finish_compaction();
  EXPECT_TRUE(f.writer->append("clock: 4\n"));
  f.writer->stop();
  EXPECT_EQ(f.folder.read("s"), "alive: a 1.1.1.1:1\nclock: 3\nclock: 2\nclock: 4\n");
  EXPECT_EQ(f.writer->bytes(), f.folder.read("s").size());
  EXPECT_EQ(f.kinds(),
            (std::vector{Kind::part_taken, Kind::part_taken, Kind::part_taken, Kind::compacted}));
  const SnapshotWriter::Timings timings = f.writer->timings();
  EXPECT_EQ(timings.lines, 4U);
  EXPECT_GT(timings.appending, Duration::zero());
  EXPECT_EQ(timings.compactions, 1U);
  EXPECT_GT(timings.compacting, Duration::zero());
}

TEST(SnapshotWriter, SaysThatACompactionFailedOnce) {
  WriterFixture f;
  std::filesystem::create_directory(f.folder.path("s.compact"));  // in the new file's way
  f.writer->begin_compaction();
  f.writer->compact_part("alive: a 1.1.1.1:1\n");
  f.writer->finish_compaction();
  EXPECT_TRUE(f.writer->append("clock: 4\n"));
  f.writer->stop();
  EXPECT_EQ(f.kinds(), std::vector{Kind::not_written});
  EXPECT_NE(f.reports.front().error.find("is a directory"), std::string::npos);
  EXPECT_EQ(f.folder.read("s"), "clock: 4\n");
}

TEST(SnapshotWriter, AbandonsACompaction) {
  WriterFixture f;
  f.writer->begin_compaction();
  f.writer->compact_part("alive: a 1.1.1.1:1\n");
  f.writer->abandon_compaction();
  EXPECT_TRUE(f.writer->append("leave\n", true));
  f.writer->stop();
  EXPECT_EQ(f.folder.read("s"), "leave\n");
  EXPECT_FALSE(std::filesystem::exists(f.folder.path("s.compact")));
}

TEST(SnapshotWriter, RefusesMoreThanItsQueueHolds) {
  WriterFixture f;
  EXPECT_FALSE(f.writer->append(std::string(SnapshotWriter::waiting_bytes_max + 1, '#')));
  EXPECT_TRUE(f.writer->append("clock: 1\n"));
  f.writer->stop();
  EXPECT_EQ(f.folder.read("s"), "clock: 1\n");
}

}  // namespace
}  // namespace starling::agent
