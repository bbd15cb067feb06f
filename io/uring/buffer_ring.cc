#include "io/uring/buffer_ring.h"

#include <algorithm>
#include <bit>
#include <cerrno>

#include "io/errno_text.h"

namespace starling::io {

namespace {

constexpr std::size_t buffers_max = 32'768;  // the kernel's bound
constexpr std::size_t buffers_min = 16;      // below this a short limit is an error

}  // namespace

std::expected<BufferRing, std::string> BufferRing::create(Ring& ring, const Options& options) {
  BufferRing made;
  made.group_ = options.group;
  made.buffer_bytes_ = options.buffer_bytes;
  // Not a power of two, so that the buffers' beginnings do not share a few cache sets.
  made.stride_ = (options.buffer_bytes + 63) / 64 * 64 + 3 * 64;
  for (std::size_t buffers = std::bit_ceil(std::min(options.buffers, buffers_max));; buffers /= 2) {
    auto entries = MappedMemory::map({.bytes = buffers * sizeof(io_uring_buf)});
    if (!entries) return std::unexpected(std::move(entries.error()));
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uintptr_t>(entries->bytes().data());
    registration.ring_entries = static_cast<unsigned>(buffers);
    registration.bgid = options.group;
    const int result = io_uring_register_buf_ring(ring.get(), &registration, 0);
    if (result == 0) {
      made.entries_ = std::move(*entries);
      made.buffers_ = buffers;
      break;
    }
    if (result != -ENOMEM || buffers <= buffers_min) {
      return std::unexpected("register a ring of " + std::to_string(buffers) +
                             " buffers: " + errno_text(-result) +
                             (result == -ENOMEM ? " (limit on locked memory)" : ""));
    }
  }
  auto memory = MappedMemory::map({.bytes = made.stride_ * made.buffers_});
  if (!memory) return std::unexpected(std::move(memory.error()));
  made.memory_ = std::move(*memory);
  io_uring_buf_ring_init(made.entries());
  for (std::size_t buffer = 0; buffer < made.buffers_; ++buffer) made.give(buffer);
  return made;
}

void BufferRing::give(std::size_t buffer) {
  const MutableBytes room = at(buffer);
  io_uring_buf_ring_add(entries(), room.data(), static_cast<unsigned>(room.size()),
                        static_cast<unsigned short>(buffer),
                        io_uring_buf_ring_mask(static_cast<unsigned>(buffers_)), 0);
  io_uring_buf_ring_advance(entries(), 1);
}

}  // namespace starling::io
