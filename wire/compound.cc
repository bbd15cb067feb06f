#include "wire/compound.h"

#include <cstring>

#include "wire/base/check.h"
#include "wire/messages.h"

namespace starling {

Decoded<CompoundReader> CompoundReader::open(Bytes body) {
  Reader in(body, "compound");
  in.set_field("count");
  const std::size_t count = in.u8();
  in.set_field("lengths");
  const Bytes lengths = in.take(2 * count);
  if (!in.ok()) return std::unexpected(in.error());
  return CompoundReader(lengths, in.rest(), count);
}

bool CompoundReader::next(Bytes& part) {
  if (at_ == count_ || cut_short_) return false;
  Reader length(lengths_.subspan(2 * at_, 2));
  const std::size_t bytes = length.u16();
  if (bytes > parts_.size()) {
    cut_short_ = true;
    return false;
  }
  part = parts_.first(bytes);
  parts_ = parts_.subspan(bytes);
  ++at_;
  return true;
}

namespace {

// Bytes of a finished message with `parts` parts of `body_bytes` together.
std::size_t finished_size(std::size_t parts, std::size_t body_bytes) {
  if (parts <= 1) return body_bytes;
  return compound_header_bytes + parts * compound_part_overhead_bytes + body_bytes;
}

}  // namespace

bool CompoundBuilder::add(Bytes part) {
  CHECK(!finished_);
  if (part.empty() || part.size() > UINT16_MAX || count_ == compound_parts_max) return false;
  if (finished_size(count_ + 1, body_bytes_ + part.size()) > room_.size()) return false;
  std::memcpy(room_.data() + body_bytes_, part.data(), part.size());
  lengths_[count_++] = static_cast<std::uint16_t>(part.size());
  body_bytes_ += part.size();
  return true;
}

std::size_t CompoundBuilder::size() const {
  return finished_size(count_, body_bytes_);
}

Bytes CompoundBuilder::finish() {
  CHECK(!finished_);
  finished_ = true;
  if (count_ > 1) {
    const std::size_t header_bytes = compound_header_bytes + count_ * compound_part_overhead_bytes;
    std::memmove(room_.data() + header_bytes, room_.data(), body_bytes_);
    Writer header(room_.first(header_bytes));
    header.u8(static_cast<std::uint8_t>(MessageType::compound));
    header.u8(static_cast<std::uint8_t>(count_));
    for (std::size_t i = 0; i < count_; ++i) header.u16(lengths_[i]);
  }
  return room_.first(size());
}

}  // namespace starling
