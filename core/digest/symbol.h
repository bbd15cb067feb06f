// What one member contributes to a digest: a keyed 64-bit symbol and a keyed 64-bit weight.
//
// Two tables that hold the same rows have the same symbols and the same sum of weights. A row
// counts while its member is alive or suspect; which of the two is not part of it, because a
// suspicion passes. The hash is XXH3 with a secret made from the cluster's key: nobody outside the
// cluster can make two rows that look the same. It is fast, not a proven pseudorandom function:
// members of the cluster are trusted not to look for collisions. Values and pure functions.
#pragma once

#include <array>
#include <cstdint>

#include "core/base/bucket.h"
#include "core/base/hash.h"
#include "wire/sync_records.h"

namespace starling {

// A row as reconciliation sees it. Views live as long as whoever gave the record says.
struct MemberRecord {
  std::string_view name;
  NameHash hash{};
  Incarnation incarnation{};
  Endpoint endpoint;
  Versions versions;
  Bytes meta;                 // 512 bytes at most
  LamportTime status_time{};  // Serf's; zero where there is none
  MemberState state = MemberState::alive;
};

inline SyncRecord to_wire(const MemberRecord& record) {
  return {record.name,     record.incarnation, record.state,      record.endpoint,
          record.versions, record.meta,        record.status_time};
}
inline MemberRecord from_wire(const SyncRecord& record) {
  return {.name = record.name,
          .hash = hash_name(record.name),
          .incarnation = record.incarnation,
          .endpoint = record.endpoint,
          .versions = record.versions,
          .meta = record.meta,
          .status_time = record.status_time,
          .state = record.state};
}

// The states whose rows are digested.
constexpr bool is_digested(MemberState state) {
  return state == MemberState::alive || state == MemberState::suspect;
}

// Top 24 bits: those of the name's hash, so that a symbol tells its bucket. The other 40: keyed, of
// the whole row.
enum class Symbol : std::uint64_t {};

constexpr std::uint64_t to_number(Symbol symbol) {
  return static_cast<std::uint64_t>(symbol);
}
constexpr Bucket bucket_of(Symbol symbol) {
  return Bucket{static_cast<std::uint16_t>(to_number(symbol) >> (64 - bucket_bits))};
}
// What the symbols of one name have in common. Two names share it with probability 2^-24.
constexpr std::uint32_t name_part(Symbol symbol) {
  return static_cast<std::uint32_t>(to_number(symbol) >> 40);
}

class DigestKey {
 public:
  // `cluster_key`: the primary key's bytes; none in a cluster without encryption.
  explicit DigestKey(Bytes cluster_key = {});

  Bytes secret() const { return secret_; }
  // A keyed hash of a symbol: where it goes among the cells, and its check (see rateless.h).
  std::uint64_t hash(Symbol symbol) const {
    const std::uint64_t number = to_number(symbol);
    return XXH3_64bits_withSecret(&number, sizeof number, secret_.data(), secret_.size());
  }

 private:
  alignas(64) std::array<std::byte, 192> secret_;
};

struct Mark {
  Symbol symbol{};
  std::uint64_t weight = 0;
  friend bool operator==(const Mark&, const Mark&) = default;
};

// The name must have 255 bytes at most and the meta 512.
Mark mark_of(const DigestKey& key, const MemberRecord& record);

}  // namespace starling
