#include "wire/standing.h"

namespace starling {

namespace {
constexpr std::uint8_t standing_version = 1;  // other meanings of the digest get other numbers
}

Bytes write_standing(const Standing& standing, StandingRoom& room) {
  Writer out(room);
  out.u8(standing_version);
  out.u64(standing.root);
  out.u32(standing.count);
  out.u32(standing.events);
  return out.written();
}

std::optional<Standing> read_standing(Bytes value) {
  if (value.size() != standing_bytes) return std::nullopt;
  Reader in(value, "standing");
  if (in.u8() != standing_version) return std::nullopt;
  Standing standing;
  standing.root = in.u64();
  standing.count = in.u32();
  standing.events = in.u32();
  return standing;
}

}  // namespace starling
