// BufferRing: buffers lent to the kernel, which fills them as data arrives and says which.
//
// Belongs to one Ring under a group number. Created and destroyed by any thread while the ring is
// not started; give() by the ring's owner.
#pragma once

#include <liburing.h>

#include <expected>
#include <string>

#include "io/mapped_memory.h"
#include "io/uring/ring.h"

namespace starling::io {

class BufferRing {
 public:
  struct Options {
    std::uint16_t group = 0;
    std::size_t buffers = 0;  // rounded up to a power of two; fewer where locked memory is short
    std::size_t buffer_bytes = 0;
  };
  static std::expected<BufferRing, std::string> create(Ring& ring, const Options& options);

  std::uint16_t group() const { return group_; }
  std::size_t buffers() const { return buffers_; }
  MutableBytes at(std::size_t buffer) {
    DCHECK(buffer < buffers_);
    return memory_.bytes().subspan(buffer * stride_, buffer_bytes_);
  }
  // The buffer that a completion with IORING_CQE_F_BUFFER carries.
  static std::size_t of(unsigned completion_flags) {
    return completion_flags >> IORING_CQE_BUFFER_SHIFT;
  }
  // Back to the kernel.
  void give(std::size_t buffer);

 private:
  BufferRing() = default;
  io_uring_buf_ring* entries() {
    return reinterpret_cast<io_uring_buf_ring*>(entries_.bytes().data());
  }

  MappedMemory entries_;
  MappedMemory memory_;
  std::uint16_t group_ = 0;
  std::size_t buffers_ = 0;
  std::size_t buffer_bytes_ = 0;
  std::size_t stride_ = 0;
};

}  // namespace starling::io
