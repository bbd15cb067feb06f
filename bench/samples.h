// The members, messages and states that the benchmarks work on: the same as in peers/codec.
//
// Members are numbered; each has a short name, an IPv4 address and 32 bytes of metadata. Views live
// as long as the Sample they came from.
#pragma once

#include <string>
#include <vector>

#include "wire/push_pull.h"

namespace starling::bench {

using ByteVector = std::vector<std::byte>;

class Sample {
 public:
  explicit Sample(std::uint32_t number);
  Alive alive(std::uint32_t incarnation) const;
  NodeState state() const;
  std::string_view name() const { return name_; }

 private:
  std::string name_;
  std::array<std::byte, 4> address_;
};

// One encoded message, type byte first.
template <class Message>
ByteVector encoded(const Message& message) {
  std::array<std::byte, 4096> room;
  Writer out(room);
  encode(message, out);
  return {out.written().begin(), out.written().end()};
}

// Alive messages about these members in one compound.
ByteVector compound_of_alives(std::span<const std::uint32_t> numbers, std::uint32_t incarnation);

// A push/pull with members first..first+count-1, type byte first, without user state.
ByteVector push_pull_of(std::uint32_t first, std::uint32_t count);

// 0..count-1 in an order that no cache foresees, the same in every run.
std::vector<std::uint32_t> shuffled(std::uint32_t count);

}  // namespace starling::bench
