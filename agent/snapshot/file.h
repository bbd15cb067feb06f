// SnapshotFile: the snapshot on disk, appended to line by line and now and then written anew.
//
// protocol/serf section 15. Whatever happens (the process or the machine stops, the disk is full)
// the file at the path is a snapshot: a failed append is taken back, and the new file takes the
// place of the old one in one step when it is complete and on the disk. While it is being written,
// lines are appended to both. Every call may block on the disk; one thread.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "io/file.h"

namespace starling::agent {

class SnapshotFile {
 public:
  using Result = std::expected<void, std::string>;  // errors for the log: "write PATH: ..."

  // Creates the file if there is none, mode 0644. An unterminated last line, left by a crash, is
  // cut off: what is appended must not become a part of it.
  static std::expected<SnapshotFile, std::string> open(const std::string& path);

  // Whole lines. After an error nothing of them is in the file. While a new file is being written
  // they go there, too; if that fails, compacting() is false afterwards.
  Result append(std::string_view lines);
  // To the disk, beyond a loss of power.
  Result sync();
  std::uint64_t bytes() const { return bytes_; }

  // The new file is begun beside the old one, gets its lines, and takes its place. After an error
  // of any of these, or with abandon, the old one stays.
  Result begin_compaction();
  Result append_compacted(std::string_view lines);
  Result finish_compaction();
  void abandon_compaction();
  bool compacting() const { return fresh_.open(); }
  // What ended the last compaction in an append.
  const std::string& compaction_error() const { return compaction_error_; }

 private:
  SnapshotFile(std::string path, io::File file) : path_(std::move(path)), file_(std::move(file)) {}
  std::string fresh_path() const { return path_ + ".compact"; }

  std::string path_;
  io::File file_;
  std::uint64_t bytes_ = 0;
  io::File fresh_;
  std::uint64_t fresh_bytes_ = 0;
  std::string compaction_error_;
};

}  // namespace starling::agent
