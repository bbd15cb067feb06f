#include "agent/text_file.h"

#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <sys/stat.h>

#include "io/errno_text.h"
#include "io/file.h"

namespace starling::agent {
namespace {

constexpr std::size_t file_bytes_max = 16U << 20;

std::unexpected<std::string> failed(std::string_view call, const std::string& path, int error) {
  return std::unexpected(std::string(call) + " " + path + ": " + io::errno_text(error));
}

}  // namespace

std::expected<std::string, std::string> read_text_file(const std::string& path) {
  const io::File file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.open()) return failed("open", path, errno);
  std::string text;
  for (;;) {
    constexpr std::size_t chunk = 64 * 1024;
    const std::size_t before = text.size();
    text.resize(before + chunk);
    const ssize_t count = read(file.descriptor(), text.data() + before, chunk);
    const int error = errno;
    text.resize(before + static_cast<std::size_t>(count > 0 ? count : 0));
    if (count == 0) return text;
    if (count < 0 && error != EINTR) return failed("read", path, error);
    if (text.size() > file_bytes_max) return failed("read", path, EFBIG);
  }
}

std::expected<void, std::string> write_text_file(const std::string& path, std::string_view text) {
  const std::string beside = path + ".new";
  {
    const io::File file(open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!file.open()) return failed("open", path, errno);
    // It may be there from a crash, with any mode.
    if (fchmod(file.descriptor(), 0600) != 0) return failed("open", path, errno);
    while (!text.empty()) {
      const ssize_t count = write(file.descriptor(), text.data(), text.size());
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return failed("write", path, errno);
      text.remove_prefix(static_cast<std::size_t>(count));
    }
    if (fsync(file.descriptor()) != 0) return failed("write", path, errno);
  }
  if (rename(beside.c_str(), path.c_str()) != 0) return failed("write", path, errno);
  return {};
}

bool file_exists(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0;
}

}  // namespace starling::agent
