#include "agent/snapshot/file.h"

#include <array>
#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <sys/stat.h>

#include "agent/snapshot/recovery.h"
#include "io/errno_text.h"

namespace starling::agent {
namespace {

std::unexpected<std::string> failed(std::string_view call, const std::string& path, int error) {
  return std::unexpected(std::string(call) + " " + path + ": " + io::errno_text(error));
}

// An errno, or 0.
int write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(descriptor, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    if (count == 0) return ENOSPC;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return 0;
}

// Length of what follows the last newline, or more than a line may have.
std::size_t unterminated_bytes(int descriptor, std::uint64_t bytes) {
  std::array<char, snapshot_line_bytes_max + 1> tail;
  const std::size_t wanted = bytes < tail.size() ? static_cast<std::size_t>(bytes) : tail.size();
  const ssize_t count = pread(descriptor, tail.data(), wanted, static_cast<off_t>(bytes - wanted));
  if (count <= 0) return 0;
  const std::string_view text(tail.data(), static_cast<std::size_t>(count));
  const std::size_t end = text.rfind('\n');
  return end == std::string_view::npos ? text.size() : text.size() - end - 1;
}

// A rename is on the disk when its folder is.
void sync_folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const io::File file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.open()) fsync(file.descriptor());
}

}  // namespace

std::expected<SnapshotFile, std::string> SnapshotFile::open(const std::string& path) {
  io::File file(::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
  if (!file.open()) return failed("open", path, errno);
  struct stat status {};
  if (fstat(file.descriptor(), &status) != 0) return failed("stat", path, errno);
  SnapshotFile snapshot(path, std::move(file));
  snapshot.bytes_ = static_cast<std::uint64_t>(status.st_size);
  const int descriptor = snapshot.file_.descriptor();
  const std::size_t tail = unterminated_bytes(descriptor, snapshot.bytes_);
  if (tail > snapshot_line_bytes_max) {
    // No record of ours: whatever it is, it stays, as a line that says nothing.
    if (auto ended = snapshot.append("\n"); !ended) return std::unexpected(ended.error());
  } else if (tail > 0) {
    snapshot.bytes_ -= tail;
    if (ftruncate(descriptor, static_cast<off_t>(snapshot.bytes_)) != 0) {
      return failed("truncate", path, errno);
    }
  }
  return snapshot;
}

SnapshotFile::Result SnapshotFile::append(std::string_view lines) {
  if (const int error = write_all(file_.descriptor(), lines); error != 0) {
    // If even this fails, the next start finds a line without its end.
    static_cast<void>(ftruncate(file_.descriptor(), static_cast<off_t>(bytes_)) == 0);
    return failed("write", path_, error);
  }
  bytes_ += lines.size();
  if (compacting()) {
    if (const auto also = append_compacted(lines); !also) compaction_error_ = also.error();
  }
  return {};
}

SnapshotFile::Result SnapshotFile::sync() {
  if (fsync(file_.descriptor()) != 0) return failed("sync", path_, errno);
  return {};
}

SnapshotFile::Result SnapshotFile::begin_compaction() {
  abandon_compaction();
  fresh_ = io::File(
      ::open(fresh_path().c_str(), O_RDWR | O_APPEND | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!fresh_.open()) return failed("open", fresh_path(), errno);
  fresh_bytes_ = 0;
  compaction_error_.clear();
  return {};
}

SnapshotFile::Result SnapshotFile::append_compacted(std::string_view lines) {
  if (const int error = write_all(fresh_.descriptor(), lines); error != 0) {
    abandon_compaction();
    return failed("write", fresh_path(), error);
  }
  fresh_bytes_ += lines.size();
  return {};
}

SnapshotFile::Result SnapshotFile::finish_compaction() {
  if (fsync(fresh_.descriptor()) != 0 || rename(fresh_path().c_str(), path_.c_str()) != 0) {
    const int error = errno;
    abandon_compaction();
    return failed("replace", path_, error);
  }
  file_ = std::move(fresh_);
  bytes_ = fresh_bytes_;
  sync_folder_of(path_);
  return {};
}

void SnapshotFile::abandon_compaction() {
  if (!compacting()) return;
  fresh_.close();
  unlink(fresh_path().c_str());
}

}  // namespace starling::agent
