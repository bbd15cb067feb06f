// Writes msgpack in the RPC dialect into a growing string. protocol/serf section 17.
//
// A thin shell around wire/msgpack: that one writes into fixed room, this one makes the room.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "agent/member_info.h"
#include "wire/msgpack.h"

namespace starling::agent {

class RpcWriter {
 public:
  explicit RpcWriter(std::string& out) : out_(out) {}

  void map(std::size_t pairs) {
    small([&](Writer& w) { msgpack::write_map_header(w, pairs); });
  }
  void array(std::size_t elements) {
    small([&](Writer& w) { msgpack::write_array_header(w, elements); });
  }
  void number(std::uint64_t value) {
    small([&](Writer& w) { msgpack::write_unsigned(w, value); });
  }
  void signed_number(std::int64_t value) {
    small([&](Writer& w) { msgpack::write_signed(w, value, SignedStyle::unsigned_form); });
  }
  void boolean(bool value) {
    small([&](Writer& w) { msgpack::write_bool(w, value); });
  }
  void floating(double value) {
    small([&](Writer& w) { msgpack::write_float64(w, value); });
  }
  void nil() {
    small([](Writer& w) { msgpack::write_nil(w); });
  }
  void text(std::string_view value) {
    sized(value.size(), [&](Writer& w) { msgpack::write_str(w, value); });
  }
  void bytes(Bytes value) {
    sized(value.size(), [&](Writer& w) { msgpack::write_bin(w, value); });
  }
  void tags(const Tags& tags) {
    map(tags.size());
    for (const auto& [key, value] : tags) {
      text(key);
      text(value);
    }
  }
  void texts(const std::vector<std::string>& list) {
    array(list.size());
    for (const std::string& item : list) text(item);
  }

 private:
  static constexpr std::size_t header_bytes_max = 16;
  template <class Write>
  void small(Write&& write) {
    std::array<std::byte, header_bytes_max> room;
    Writer writer{MutableBytes(room)};
    write(writer);
    out_.append(as_text(writer.written()));
  }
  template <class Write>
  void sized(std::size_t payload, Write&& write) {
    const std::size_t before = out_.size();
    out_.resize(before + payload + header_bytes_max);
    Writer writer{std::as_writable_bytes(std::span(out_).subspan(before))};
    write(writer);
    out_.resize(before + writer.size());
  }
  std::string& out_;
};

}  // namespace starling::agent
