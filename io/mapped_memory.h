// MappedMemory: a block of zeroed pages from the system, untouched until used.
//
// For everything that is large and allocated once: packet buffers, an engine's arena. Pages that
// are never touched cost nothing. Move-only; the owner may be on any thread.
#pragma once

#include <expected>
#include <string>

#include "wire/base/types.h"

namespace starling::io {

class MappedMemory {
 public:
  struct Options {
    std::size_t bytes = 0;
    bool huge_pages = false;  // ask for transparent huge pages; the system may not have any
  };

  // The error says how much was asked for and why it was refused.
  static std::expected<MappedMemory, std::string> map(Options options);

  MappedMemory() = default;
  ~MappedMemory() { unmap(); }
  MappedMemory(MappedMemory&& other) noexcept;
  MappedMemory& operator=(MappedMemory&& other) noexcept;

  MutableBytes bytes() { return {data_, bytes_}; }

 private:
  void unmap();

  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace starling::io
