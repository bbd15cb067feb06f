#include "core/digest/symbol.h"

#include <bit>
#include <cstring>
#include <type_traits>

#include "wire/base/check.h"

namespace starling {

namespace {

constexpr std::string_view purpose = "starling digest 1";
// AES-256's; a longer one is cut, which a key never is.
constexpr std::size_t key_bytes_max = 64;
constexpr std::size_t name_bytes_max = 255;
constexpr std::size_t meta_bytes_max = 512;

// What is hashed of a row: whole words in little-endian order, so that equal rows have equal bytes
// on every machine, and so that the hash reads what was just written in the pieces it was written
// in. Name and meta are hashed where they lie.
struct Serialised {
  std::uint64_t status_time;
  std::uint64_t incarnation_port_and_meta_bytes;
  std::uint64_t versions_and_sizes;
  std::array<std::uint64_t, 2> address;
  std::uint64_t name;
  std::uint64_t meta;
};
static_assert(std::has_unique_object_representations_v<Serialised>);

constexpr std::uint64_t little_endian(std::uint64_t word) {
  return std::endian::native == std::endian::little ? word : __builtin_bswap64(word);
}

std::uint64_t keyed_hash(Bytes bytes, Bytes secret) {
  return XXH3_64bits_withSecret(bytes.data(), bytes.size(), secret.data(), secret.size());
}

// The address as it stands, zeros after its four bytes.
std::array<std::uint64_t, 2> words_of(const IpAddress& address) {
  static_assert(sizeof(IpAddress) == 17 && std::is_trivially_copyable_v<IpAddress>);
  std::array<std::uint64_t, 2> words;
  std::memcpy(&words, &address, sizeof words);
  return words;
}

std::uint64_t number_of(const Versions& versions) {
  static_assert(sizeof(Versions) == 6);
  std::uint64_t word = 0;
  std::memcpy(&word, &versions, sizeof versions);
  return little_endian(word);
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
  const Bytes secret = key.secret();
  const IpAddress& address = record.endpoint.address;
  const Serialised row{
      .status_time = little_endian(to_number(record.status_time)),
      .incarnation_port_and_meta_bytes =
          little_endian(to_number(record.incarnation) | std::uint64_t{record.endpoint.port} << 32 |
                        std::uint64_t{record.meta.size()} << 48),
      .versions_and_sizes =
          little_endian(number_of(record.versions) | std::uint64_t{record.name.size()} << 48 |
                        std::uint64_t{address.bytes().size()} << 56),
      .address = words_of(address),
      .name = little_endian(keyed_hash(as_bytes(record.name), secret)),
      .meta = record.meta.empty() ? 0 : little_endian(keyed_hash(record.meta, secret)),
  };
  const XXH128_hash_t hash =
      XXH3_128bits_withSecret(&row, sizeof row, secret.data(), secret.size());
  constexpr std::uint64_t low_40_bits = (std::uint64_t{1} << 40) - 1;
  return {Symbol{(to_number(record.hash) & ~low_40_bits) | (hash.high64 & low_40_bits)},
          hash.low64};
}

}  // namespace starling
