// Rows of a member table, packed: what nodes of this kind send each other about members.
//
// A record is self-contained within its datagram. What repeats from record to record costs little:
// a name gives only what differs from the name before it, a meta or an address that the datagram
// has had already is an index of one byte, versions, port and meta equal to those before cost
// nothing. A record with a 16-byte name of its own and an address of its own takes 27 bytes and
// less.
//
//   head  u8       bits 0-1 state, 2 versions as before, 3 port as before,
//                  4-5 address: 0 four bytes, 1 sixteen, 2 index u8, 3 none
//                  6-7 meta: 0 as before, 1 index u8, 2 length u16 and bytes, 3 empty
//   share u8       high half: bytes at the front of the name that are as before; low half: at the
//   back middle u8 and bytes: the rest of the name incarnation varint, status time varint, address,
//   port u16, versions 6 bytes, meta
//
// "Before" the first record are an empty name, port 0, Versions{} and an empty meta. The last 32
// addresses and 16 metas that were written out have indexes, which are used in turn. All values; a
// reader or writer lives on somebody's stack and allocates nothing.
#pragma once

#include "wire/base/bytes.h"
#include "wire/base/types.h"

namespace starling {

struct SyncRecord {
  std::string_view name;  // 1 to 255 bytes
  Incarnation incarnation{};
  MemberState state = MemberState::alive;
  Endpoint endpoint;
  Versions versions;
  Bytes meta;  // 512 bytes at most
  LamportTime status_time{};
};

inline constexpr std::size_t sync_name_bytes_max = 255;
inline constexpr std::size_t sync_meta_bytes_max = 512;
// One record that shares nothing.
inline constexpr std::size_t sync_record_bytes_max =
    3 + sync_name_bytes_max + 5 + 10 + 16 + 2 + 6 + 2 + sync_meta_bytes_max;

// What both sides remember of the records of one datagram.
struct SyncRecordMemory {
  static constexpr std::uint8_t addresses_max = 32;
  static constexpr std::uint8_t metas_max = 16;

  std::array<IpAddress, addresses_max> addresses;
  std::array<Bytes, metas_max> metas;
  std::uint32_t addresses_seen = 0;
  std::uint32_t metas_seen = 0;
  std::uint16_t port = 0;
  Versions versions;
  Bytes meta;

  void remember_address(const IpAddress& address) {
    addresses[addresses_seen++ % addresses_max] = address;
  }
  void remember_meta(Bytes bytes) { metas[metas_seen++ % metas_max] = bytes; }
};

// Appends records to a datagram; nothing else may be written to `out` in between.
class SyncRecordWriter {
 public:
  explicit SyncRecordWriter(Writer& out) : out_(out) {}

  // False: it does not fit any more, and nothing was written. Names and metas must keep their
  // bounds.
  bool add(const SyncRecord& record);
  std::uint32_t count() const { return count_; }

 private:
  void put_name(std::string_view name);

  Writer& out_;
  SyncRecordMemory memory_;
  std::array<char, sync_name_bytes_max> name_;  // of the record before
  std::size_t name_bytes_ = 0;
  std::uint32_t count_ = 0;
};

// Takes records out of a view. A record's name is valid until the next call, its meta as long as
// the datagram.
class SyncRecordReader {
 public:
  explicit SyncRecordReader(Bytes records) : in_(records, "sync record") {}

  // False at the end and at the first fault.
  bool next(SyncRecord& record);
  bool ok() const { return in_.ok(); }
  // Only valid when !ok().
  const WireError& error() const { return in_.error(); }

 private:
  std::string_view read_name();
  IpAddress read_address(std::uint8_t form);
  Bytes read_meta(std::uint8_t form);

  Reader in_;
  SyncRecordMemory memory_;
  std::array<std::array<char, sync_name_bytes_max>, 2> names_;  // in turn
  std::size_t name_bytes_ = 0;
  std::size_t turn_ = 0;
};

}  // namespace starling
