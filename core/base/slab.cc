#include "core/base/slab.h"

#include <cstring>

#include "wire/base/check.h"

namespace starling {
namespace {

struct Header {
  std::uint16_t string_bytes;
  std::uint8_t size_class;
  std::uint8_t live;
};
static_assert(sizeof(Header) == Slab::header_bytes);

// 16, 24, 32, 48, 64, 96, ... 65536.
constexpr std::size_t class_bytes(std::size_t size_class) {
  return (size_class % 2 == 0 ? std::size_t{16} : std::size_t{24}) << (size_class / 2);
}
static_assert(class_bytes(Slab::classes - 1) == 65536);

constexpr std::size_t class_for(std::size_t block_bytes) {
  std::size_t size_class = 0;
  while (class_bytes(size_class) < block_bytes) ++size_class;
  return size_class;
}

Header header_of(const std::byte* block) {
  Header header;
  std::memcpy(&header, block, sizeof header);
  return header;
}

}  // namespace

Slab::Slab(Arena& arena, std::size_t bytes)
    // The first unit is never a block: reference zero means none.
    : memory_(arena.bytes(bytes + unit_bytes)), carved_bytes_(unit_bytes) {
  CHECK(memory_.size() / unit_bytes <= 0xffff'ffff);
}

std::size_t Slab::footprint(std::size_t bytes) {
  Footprint sum;
  sum.bytes(bytes + unit_bytes);
  return sum.total();
}

std::size_t Slab::block_bytes(std::size_t string_bytes) {
  CHECK(string_bytes <= bytes_max);
  return class_bytes(class_for(string_bytes + header_bytes));
}

std::optional<SlabRef> Slab::put(Bytes bytes) {
  const std::optional<SlabRef> ref = reserve(bytes.size());
  if (ref && !bytes.empty()) std::memcpy(edit(*ref).data(), bytes.data(), bytes.size());
  return ref;
}

std::optional<SlabRef> Slab::reserve(std::size_t string_bytes) {
  if (string_bytes > bytes_max) return std::nullopt;
  const std::optional<SlabRef> ref = take_block(class_for(string_bytes + header_bytes));
  if (!ref) return std::nullopt;

  std::byte* const at = memory_.data() + (block(*ref) - memory_.data());
  Header header = header_of(at);
  header.string_bytes = static_cast<std::uint16_t>(string_bytes);
  header.live = 1;
  std::memcpy(at, &header, sizeof header);
  used_bytes_ += class_bytes(header.size_class);
  return ref;
}

MutableBytes Slab::edit(SlabRef ref) {
  const Bytes string = get(ref);
  return memory_.subspan(static_cast<std::size_t>(string.data() - memory_.data()), string.size());
}

Bytes Slab::get(SlabRef ref) const {
  DCHECK(ref != SlabRef::none);
  const Header header = header_of(block(ref));
  DCHECK(header.live == 1);
  return {block(ref) + header_bytes, header.string_bytes};
}

void Slab::release(SlabRef ref) {
  CHECK(ref != SlabRef::none);
  std::byte* const at = memory_.data() + (block(ref) - memory_.data());
  Header header = header_of(at);
  CHECK(header.live == 1);
  header.live = 0;
  std::memcpy(at, &header, sizeof header);
  std::memcpy(at + header_bytes, &free_[header.size_class], sizeof(SlabRef));
  free_[header.size_class] = ref;
  used_bytes_ -= class_bytes(header.size_class);
}

std::optional<SlabRef> Slab::take_block(std::size_t size_class) {
  const bool has_free = free_[size_class] != SlabRef::none;
  const std::size_t fresh_bytes = class_bytes(size_class);
  if (!has_free && fresh_bytes <= memory_.size() - carved_bytes_) {
    const SlabRef ref{static_cast<std::uint32_t>(carved_bytes_ / unit_bytes)};
    const Header header{
        .string_bytes = 0, .size_class = static_cast<std::uint8_t>(size_class), .live = 0};
    std::memcpy(memory_.data() + carved_bytes_, &header, sizeof header);
    carved_bytes_ += fresh_bytes;
    return ref;
  }
  // A block that is too large beats a refusal.
  for (std::size_t candidate = size_class; candidate < classes; ++candidate) {
    const SlabRef ref = free_[candidate];
    if (ref == SlabRef::none) continue;
    std::memcpy(&free_[candidate], block(ref) + header_bytes, sizeof(SlabRef));
    return ref;
  }
  return std::nullopt;
}

}  // namespace starling
