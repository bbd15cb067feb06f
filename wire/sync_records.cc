#include "wire/sync_records.h"

#include <optional>

#include "wire/base/check.h"
#include "wire/varint.h"

namespace starling {

namespace {

constexpr std::uint8_t versions_as_before = 1 << 2;
constexpr std::uint8_t port_as_before = 1 << 3;
constexpr std::uint32_t address_shift = 4;
constexpr std::uint32_t meta_shift = 6;
constexpr std::size_t share_max = 15;

enum class AddressForm : std::uint8_t { four = 0, sixteen = 1, index = 2, none = 3 };
enum class MetaForm : std::uint8_t { as_before = 0, index = 1, bytes = 2, none = 3 };

// The index at which a value is remembered.
template <class Values, class Same>
std::optional<std::uint8_t> index_of(const Values& values, std::uint32_t seen, Same same) {
  const std::size_t count = std::min<std::size_t>(seen, values.size());
  for (std::size_t i = 0; i < count; ++i) {
    if (same(values[i])) return static_cast<std::uint8_t>(i);
  }
  return std::nullopt;
}

void put_versions(const Versions& versions, Writer& out) {
  for (const std::uint8_t number :
       {versions.protocol_min, versions.protocol_max, versions.protocol_current,
        versions.delegate_min, versions.delegate_max, versions.delegate_current}) {
    out.u8(number);
  }
}

Versions read_versions(Reader& in) {
  Versions versions;
  versions.protocol_min = in.u8();
  versions.protocol_max = in.u8();
  versions.protocol_current = in.u8();
  versions.delegate_min = in.u8();
  versions.delegate_max = in.u8();
  versions.delegate_current = in.u8();
  return versions;
}

}  // namespace

bool SyncRecordWriter::add(const SyncRecord& record) {
  CHECK(!record.name.empty() && record.name.size() <= sync_name_bytes_max);
  CHECK(record.meta.size() <= sync_meta_bytes_max);
  const std::size_t start = out_.size();
  const IpAddress& address = record.endpoint.address;
  const auto known_address = index_of(memory_.addresses, memory_.addresses_seen,
                                      [&](const IpAddress& other) { return other == address; });
  const auto known_meta = index_of(memory_.metas, memory_.metas_seen,
                                   [&](Bytes other) { return equal(other, record.meta); });
  const bool meta_as_before = equal(record.meta, memory_.meta);
  const AddressForm address_form = address.empty()               ? AddressForm::none
                                   : known_address               ? AddressForm::index
                                   : address.bytes().size() == 4 ? AddressForm::four
                                                                 : AddressForm::sixteen;
  const MetaForm meta_form = meta_as_before        ? MetaForm::as_before
                             : record.meta.empty() ? MetaForm::none
                             : known_meta          ? MetaForm::index
                                                   : MetaForm::bytes;
  const bool same_versions = record.versions == memory_.versions;
  const bool same_port = record.endpoint.port == memory_.port;
  out_.u8(static_cast<std::uint8_t>(
      static_cast<unsigned>(record.state) | (same_versions ? versions_as_before : 0U) |
      (same_port ? port_as_before : 0U) | (static_cast<unsigned>(address_form) << address_shift) |
      (static_cast<unsigned>(meta_form) << meta_shift)));
  put_name(record.name);
  put_varint(to_number(record.incarnation), out_);
  put_varint(to_number(record.status_time), out_);
  if (address_form == AddressForm::index) out_.u8(*known_address);
  if (address_form == AddressForm::four || address_form == AddressForm::sixteen) {
    out_.put(address.bytes());
  }
  if (!same_port) out_.u16(record.endpoint.port);
  if (!same_versions) put_versions(record.versions, out_);
  if (meta_form == MetaForm::index) out_.u8(*known_meta);
  if (meta_form == MetaForm::bytes) {
    out_.u16(static_cast<std::uint16_t>(record.meta.size()));
    out_.put(record.meta);
  }
  if (!out_.ok()) {
    out_.rewind(start);
    return false;
  }
  if (address_form == AddressForm::four || address_form == AddressForm::sixteen) {
    memory_.remember_address(address);
  }
  // The copy in the datagram: the record's own may be gone by the next call.
  if (meta_form == MetaForm::bytes) memory_.remember_meta(out_.written().last(record.meta.size()));
  if (meta_form == MetaForm::bytes || meta_form == MetaForm::none) {
    memory_.meta = out_.written().last(record.meta.size());
  } else if (meta_form == MetaForm::index) {
    memory_.meta = memory_.metas[*known_meta];
  }
  memory_.port = record.endpoint.port;
  memory_.versions = record.versions;
  std::copy(record.name.begin(), record.name.end(), name_.begin());
  name_bytes_ = record.name.size();
  ++count_;
  return true;
}

void SyncRecordWriter::put_name(std::string_view name) {
  const std::string_view before(name_.data(), name_bytes_);
  const std::size_t shorter = std::min(name.size(), before.size());
  std::size_t front = 0;
  while (front < std::min(shorter, share_max) && name[front] == before[front]) ++front;
  std::size_t back = 0;
  while (back < std::min(shorter - front, share_max) &&
         name[name.size() - 1 - back] == before[before.size() - 1 - back]) {
    ++back;
  }
  const std::string_view middle = name.substr(front, name.size() - front - back);
  out_.u8(static_cast<std::uint8_t>((front << 4) | back));
  out_.u8(static_cast<std::uint8_t>(middle.size()));
  out_.put(as_bytes(middle));
}

bool SyncRecordReader::next(SyncRecord& record) {
  if (!in_.ok() || in_.left() == 0) return false;
  in_.set_field("head");
  const std::uint8_t head = in_.u8();
  record.state = MemberState{static_cast<std::uint8_t>(head & 3)};
  record.name = read_name();
  in_.set_field("incarnation");
  const std::size_t at = in_.offset();
  const std::uint64_t incarnation = read_varint(in_);
  if (incarnation > UINT32_MAX) in_.fail_at(WireFault::out_of_range, at);
  record.incarnation = Incarnation{static_cast<std::uint32_t>(incarnation)};
  in_.set_field("status_time");
  record.status_time = LamportTime{read_varint(in_)};
  record.endpoint.address = read_address((head >> address_shift) & 3);
  in_.set_field("port");
  if ((head & port_as_before) == 0) memory_.port = in_.u16();
  record.endpoint.port = memory_.port;
  in_.set_field("versions");
  if ((head & versions_as_before) == 0) memory_.versions = read_versions(in_);
  record.versions = memory_.versions;
  record.meta = read_meta(static_cast<std::uint8_t>(head >> meta_shift));
  return in_.ok();
}

std::string_view SyncRecordReader::read_name() {
  in_.set_field("name");
  const std::size_t at = in_.offset();
  const std::uint8_t share = in_.u8();
  const std::size_t front = share >> 4;
  const std::size_t back = share & 0xf;
  const Bytes middle = in_.take(in_.u8());
  if (!in_.ok()) return {};
  const std::size_t size = front + middle.size() + back;
  if (front + back > name_bytes_ || size == 0) {
    in_.fail_at(WireFault::malformed, at);
    return {};
  }
  if (size > sync_name_bytes_max) {
    in_.fail_at(WireFault::too_large, at);
    return {};
  }
  const char* const before = names_[turn_].data();
  turn_ ^= 1;
  char* const name = names_[turn_].data();
  std::copy_n(before, front, name);
  const std::string_view text = as_text(middle);
  std::copy(text.begin(), text.end(), name + front);
  std::copy_n(before + name_bytes_ - back, back, name + front + middle.size());
  name_bytes_ = size;
  return {name, size};
}

IpAddress SyncRecordReader::read_address(std::uint8_t form) {
  in_.set_field("address");
  switch (AddressForm{form}) {
    case AddressForm::none:
      return {};
    case AddressForm::index: {
      const std::size_t at = in_.offset();
      const std::uint8_t index = in_.u8();
      if (!in_.ok()) return {};
      if (index < SyncRecordMemory::addresses_max && index < memory_.addresses_seen) {
        return memory_.addresses[index];
      }
      in_.fail_at(WireFault::out_of_range, at);
      return {};
    }
    case AddressForm::four:
    case AddressForm::sixteen:
      break;
  }
  const IpAddress address(in_.take(AddressForm{form} == AddressForm::four ? 4 : 16));
  if (in_.ok()) memory_.remember_address(address);
  return address;
}

Bytes SyncRecordReader::read_meta(std::uint8_t form) {
  in_.set_field("meta");
  const std::size_t at = in_.offset();
  switch (MetaForm{form}) {
    case MetaForm::as_before:
      return memory_.meta;
    case MetaForm::none:
      memory_.meta = {};
      return {};
    case MetaForm::index: {
      const std::uint8_t index = in_.u8();
      if (!in_.ok()) return {};
      if (index >= SyncRecordMemory::metas_max || index >= memory_.metas_seen) {
        in_.fail_at(WireFault::out_of_range, at);
        return {};
      }
      memory_.meta = memory_.metas[index];
      return memory_.meta;
    }
    case MetaForm::bytes:
      break;
  }
  const std::uint16_t size = in_.u16();
  if (in_.ok() && size > sync_meta_bytes_max) in_.fail_at(WireFault::too_large, at);
  const Bytes meta = in_.take(size);
  if (in_.ok()) memory_.remember_meta(meta);
  if (in_.ok()) memory_.meta = meta;
  return in_.ok() ? meta : Bytes{};
}

}  // namespace starling
