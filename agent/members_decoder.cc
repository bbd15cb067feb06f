#include "agent/members_decoder.h"

#include "wire/msgpack.h"

namespace starling::agent {
namespace {

// Of a map's or an array's header by its first byte; other values are refused when they are read.
std::size_t header_size(std::byte lead) {
  switch (std::to_integer<unsigned>(lead)) {
    case 0xdc:
    case 0xde:
      return 3;
    case 0xdd:
    case 0xdf:
      return 5;
    default:
      return 1;
  }
}

}  // namespace

Decoded<bool> MembersDecoder::take_header(Bytes& chunk, bool map, std::uint64_t& count) {
  do {
    if (chunk.empty()) return false;
    header_[header_bytes_++] = chunk[0];
    chunk = chunk.subspan(1);
  } while (header_bytes_ < header_size(header_[0]));
  Reader in(Bytes(header_).first(std::exchange(header_bytes_, 0)), "members");
  count = map ? msgpack::read_map_header(in) : msgpack::read_array_header(in);
  if (!in.ok()) return std::unexpected(in.error());
  return true;
}

Decoded<void> MembersDecoder::on_key(Bytes value) {
  Reader in(value, "members");
  const std::string_view key = msgpack::read_key(in);
  if (!in.ok()) return std::unexpected(in.error());
  stage_ = key == "Members" ? Stage::array_header : Stage::other_value;
  return {};
}

void MembersDecoder::after_pair() {
  stage_ = --pairs_ == 0 ? Stage::done : Stage::key;
}

}  // namespace starling::agent
