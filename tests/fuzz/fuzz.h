// What every fuzz target needs. A target is one function and FUZZ_TARGET:
//
//   void check_thing(Bytes input) { ... CHECK(property); }
//   FUZZ_TARGET(starling::check_thing)
//
// A broken property is a failed CHECK, which ends the program. Control bytes that a target wants
// (chunk sizes, choices) are taken from the front of the input, so that a file says everything.
#pragma once

#include "wire/base/check.h"
#include "wire/base/types.h"

namespace starling::fuzz {

// Removes the first byte of `input` and gives it; 0 when there is none.
inline std::uint8_t take_byte(Bytes& input) {
  if (input.empty()) return 0;
  const std::uint8_t byte = std::to_integer<std::uint8_t>(input[0]);
  input = input.subspan(1);
  return byte;
}

// Chunk sizes from one seed byte: small ones mostly, where the boundaries hurt.
class ChunkSizes {
 public:
  explicit ChunkSizes(std::uint8_t seed) : state_(seed * 2654435761U + 1) {}
  std::size_t next() {
    state_ = state_ * 1664525U + 1013904223U;
    const std::uint32_t draw = state_ >> 16;
    return draw % 4 == 0 ? draw / 4 % 300 + 1 : draw / 4 % 8 + 1;
  }

 private:
  std::uint32_t state_;
};

}  // namespace starling::fuzz

#define FUZZ_TARGET(function)                                                         \
  extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);  \
  extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) { \
    function(starling::Bytes(reinterpret_cast<const std::byte*>(data), size));        \
    return 0;                                                                         \
  }
