// Member metadata: a bare role, or byte ff and a map of tags.
//
// protocol/serf section 2. Views into the input, nothing allocates; any thread.
#pragma once

#include <span>
#include <string_view>

#include "wire/msgpack.h"

namespace starling {

inline constexpr std::size_t meta_bytes_max = 512;

// One tag, or one entry of any string-to-string map.
struct Tag {
  std::string_view key;
  std::string_view value;
};

// A lazily walked msgpack map of strings; `raw` is the pairs without the map header.
class TagMap {
 public:
  TagMap() = default;
  TagMap(Bytes raw, std::size_t count) : raw_(raw), count_(count) {}
  // As announced; the pairs themselves are checked by for_each.
  std::size_t size() const { return count_; }
  // Calls on_tag(Tag) for each pair, in wire order; false when the map is malformed (pairs before
  // the fault have been delivered, as Go keeps them).
  template <class OnTag>
  bool for_each(OnTag&& on_tag) const {
    Reader in(raw_, "tags");
    for (std::size_t i = 0; i < count_; ++i) {
      Tag tag;
      tag.key = msgpack::read_key(in);
      tag.value = msgpack::read_text(in);
      if (!in.ok()) return false;
      on_tag(tag);
    }
    return true;
  }

 private:
  Bytes raw_;
  std::size_t count_ = 0;
};

// Passes over a map of strings, checking every pair. Faults stick to `in`.
TagMap read_tag_map(Reader& in);
void write_tag_map(std::span<const Tag> tags, Writer& out);

// Metadata as it stands: the tags, or the role of a node of Serf protocol 2.
struct Meta {
  TagMap tags;            // when not bare
  std::string_view role;  // when bare
  bool bare_role = false;
};
// An error only when byte ff is followed by no map; the pairs are checked by for_each.
Decoded<Meta> decode_meta(Bytes meta);
// Tags in the given order behind byte ff. Check out.ok() and meta_bytes_max.
void encode_meta(std::span<const Tag> tags, Writer& out);

// Calls on_tag(Tag) for every tag of any metadata, a bare role as tag "role". False when the
// metadata is malformed; the tags before the fault have been delivered.
template <class OnTag>
bool for_each_tag(Bytes meta, OnTag&& on_tag) {
  const auto decoded = decode_meta(meta);
  if (!decoded) return false;
  if (!decoded->bare_role) return decoded->tags.for_each(on_tag);
  on_tag(Tag{"role", decoded->role});
  return true;
}

}  // namespace starling
