#include "wire/tags.h"

namespace starling {
namespace {

constexpr std::byte tag_map_marker{0xff};

}  // namespace

TagMap read_tag_map(Reader& in) {
  const std::uint64_t count = msgpack::read_map_header(in);
  const Bytes before = in.rest();
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    msgpack::read_key(in);
    msgpack::read_text(in);
  }
  if (!in.ok()) return {};
  return TagMap(before.first(before.size() - in.left()), static_cast<std::size_t>(count));
}

void write_tag_map(std::span<const Tag> tags, Writer& out) {
  msgpack::write_map_header(out, tags.size());
  for (const Tag& tag : tags) {
    msgpack::write_text(out, tag.key);
    msgpack::write_text(out, tag.value);
  }
}

Decoded<Meta> decode_meta(Bytes meta) {
  if (meta.empty() || meta[0] != tag_map_marker) {
    return Meta{.tags = {}, .role = as_text(meta), .bare_role = true};
  }
  Reader in(meta, "meta");
  in.skip(1);
  const std::uint64_t count = msgpack::read_map_header(in);
  if (!in.ok()) return std::unexpected(in.error());
  return Meta{.tags = TagMap(in.rest(), static_cast<std::size_t>(count)), .role = {}};
}

void encode_meta(std::span<const Tag> tags, Writer& out) {
  out.u8(0xff);
  write_tag_map(tags, out);
}

}  // namespace starling
