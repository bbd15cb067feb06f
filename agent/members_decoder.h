// Reads the body of a member list while it arrives, one member at a time.
//
// The list of a large cluster has hundreds of megabytes; nobody needs it as a whole. Takes what
// RpcSession and Serf's agent send: a map with the key "Members" (others are passed over) and an
// array or nil. Owned by an RPC client; one thread.
//
// Bounds: a member, or another key's value, of value_bytes_max; the array's length is only counted
// down.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "agent/rpc_messages.h"
#include "wire/value_scanner.h"

namespace starling::agent {

class MembersDecoder {
 public:
  // A member has metadata of 512 bytes and a name of 255 in any cluster that works.
  static constexpr std::size_t value_bytes_max = 64 * 1024;

  // Takes bytes from the front of `chunk` up to the end of the body at most, and calls
  // on_member(MemberInfo&&) for each member that they complete. Errors are final.
  template <class OnMember>
  Decoded<void> feed(Bytes& chunk, OnMember&& on_member);
  bool complete() const { return stage_ == Stage::done; }

 private:
  enum class Stage : std::uint8_t { map_header, key, other_value, array_header, member, done };

  // Takes a header of a map or an array byte by byte; true when it is whole.
  Decoded<bool> take_header(Bytes& chunk, bool map, std::uint64_t& count);
  Decoded<void> on_key(Bytes value);
  void after_pair();

  Stage stage_ = Stage::map_header;
  std::uint64_t pairs_ = 0;
  std::uint64_t members_ = 0;
  std::array<std::byte, 5> header_;  // a lead byte and a length of four at most
  std::size_t header_bytes_ = 0;
  std::vector<std::byte> room_ = std::vector<std::byte>(value_bytes_max);
  ValueCarry carry_{room_};
};

template <class OnMember>
Decoded<void> MembersDecoder::feed(Bytes& chunk, OnMember&& on_member) {
  while (!complete()) {
    if (stage_ == Stage::map_header || stage_ == Stage::array_header) {
      const bool map = stage_ == Stage::map_header;
      std::uint64_t& count = map ? pairs_ : members_;
      const Decoded<bool> whole = take_header(chunk, map, count);
      if (!whole) return std::unexpected(whole.error());
      if (!*whole) return {};
      stage_ = map ? Stage::key : Stage::member;
      if (count == 0) map ? void(stage_ = Stage::done) : after_pair();
      continue;
    }
    const Decoded<Bytes> value = carry_.next(chunk);
    if (!value) return std::unexpected(value.error());
    if (value->empty()) return {};
    if (stage_ == Stage::key) {
      if (const auto read = on_key(*value); !read) return read;
    } else if (stage_ == Stage::other_value) {
      after_pair();
    } else {
      auto member = decode_member(*value);
      if (!member) return std::unexpected(member.error());
      if (--members_ == 0) after_pair();
      on_member(std::move(*member));
    }
  }
  return {};
}

}  // namespace starling::agent
