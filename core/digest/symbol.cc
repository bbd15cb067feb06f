#include "core/digest/symbol.h"

#include <cstring>

#include "wire/base/check.h"

namespace starling {

namespace {

constexpr std::string_view purpose = "starling digest 1";
// AES-256's; a longer one is cut, which a key never is.
constexpr std::size_t key_bytes_max = 64;
constexpr std::size_t name_bytes_max = 255;
constexpr std::size_t meta_bytes_max = 512;

// The fixed part of the serialisation. Every byte is set and every integer has a fixed order, so
// that equal rows have equal bytes on every machine.
struct Fixed {
  std::array<std::uint8_t, 8> status_time;
  std::array<std::uint8_t, 4> incarnation;
  std::array<std::uint8_t, 2> port;
  std::array<std::uint8_t, 2> meta_bytes;
  Versions versions;
  std::uint8_t name_bytes;
  std::uint8_t address_bytes;
};
static_assert(sizeof(Fixed) == 24);

template <class Number, std::size_t Count>
void put(std::array<std::uint8_t, Count>& out, Number number) {
  for (std::size_t i = 0; i < Count; ++i) out[i] = static_cast<std::uint8_t>(number >> (8 * i));
}

}  // namespace

DigestKey::DigestKey(Bytes cluster_key) {
  std::array<std::byte, purpose.size() + key_bytes_max> seed;
  const std::size_t key_bytes = std::min(cluster_key.size(), key_bytes_max);
  std::memcpy(seed.data(), purpose.data(), purpose.size());
  if (key_bytes > 0) std::memcpy(seed.data() + purpose.size(), cluster_key.data(), key_bytes);
  const auto made =
      XXH3_generateSecret(secret_.data(), secret_.size(), seed.data(), purpose.size() + key_bytes);
  CHECK(made == XXH_OK);
}

Mark mark_of(const DigestKey& key, const MemberRecord& record) {
  CHECK(record.name.size() <= name_bytes_max && record.meta.size() <= meta_bytes_max);
  const Bytes address = record.endpoint.address.bytes();
  std::array<std::byte, sizeof(Fixed) + 16 + name_bytes_max + meta_bytes_max> buffer;
  Fixed fixed;
  put(fixed.status_time, to_number(record.status_time));
  put(fixed.incarnation, to_number(record.incarnation));
  put(fixed.port, record.endpoint.port);
  put(fixed.meta_bytes, record.meta.size());
  fixed.versions = record.versions;
  fixed.name_bytes = static_cast<std::uint8_t>(record.name.size());
  fixed.address_bytes = static_cast<std::uint8_t>(address.size());
  std::memcpy(buffer.data(), &fixed, sizeof fixed);
  std::size_t size = sizeof fixed;
  const auto append = [&](const void* bytes, std::size_t count) {
    if (count > 0) std::memcpy(buffer.data() + size, bytes, count);
    size += count;
  };
  if (address.size() == 4) {
    append(address.data(), 4);
  } else if (address.size() == 16) {
    append(address.data(), 16);
  }
  append(record.name.data(), record.name.size());
  append(record.meta.data(), record.meta.size());
  const Bytes secret = key.secret();
  const XXH128_hash_t hash =
      XXH3_128bits_withSecret(buffer.data(), size, secret.data(), secret.size());
  constexpr std::uint64_t low_40_bits = (std::uint64_t{1} << 40) - 1;
  return {Symbol{(to_number(record.hash) & ~low_40_bits) | (hash.high64 & low_40_bits)},
          hash.low64};
}

}  // namespace starling
