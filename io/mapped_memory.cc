#include "io/mapped_memory.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "io/errno_text.h"

namespace starling::io {

std::expected<MappedMemory, std::string> MappedMemory::map(Options options) {
  void* const start = ::mmap(nullptr, options.bytes, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (start == MAP_FAILED) {
    const int error = errno;
    return std::unexpected("map " + std::to_string(options.bytes) +
                           " bytes of memory: " + errno_text(error));
  }
  // A wish: a system without huge pages still gives the memory.
  if (options.huge_pages) ::madvise(start, options.bytes, MADV_HUGEPAGE);
  MappedMemory memory;
  memory.data_ = static_cast<std::byte*>(start);
  memory.bytes_ = options.bytes;
  return memory;
}

MappedMemory::MappedMemory(MappedMemory&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

MappedMemory& MappedMemory::operator=(MappedMemory&& other) noexcept {
  if (this == &other) return *this;
  unmap();
  data_ = std::exchange(other.data_, nullptr);
  bytes_ = std::exchange(other.bytes_, 0);
  return *this;
}

void MappedMemory::unmap() {
  if (data_ != nullptr) ::munmap(data_, bytes_);
}

}  // namespace starling::io
