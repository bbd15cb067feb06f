#include "core/serf/tags.h"

#include <algorithm>

namespace starling {

std::string_view to_text(TagsError) {
  return "Encoded length of tags exceeds limit of 512 bytes";
}

std::expected<Bytes, TagsError> write_tags(std::span<Tag> tags, std::uint8_t protocol,
                                           std::span<std::byte, meta_bytes_max> out) {
  std::sort(tags.begin(), tags.end(), [](const Tag& a, const Tag& b) { return a.key < b.key; });
  Writer writer(out);
  if (protocol >= 3) {
    encode_meta(tags, writer);
  } else {
    for (const Tag& tag : tags) {
      if (tag.key == "role") writer.put(as_bytes(tag.value));
    }
  }
  if (!writer.ok()) return std::unexpected(TagsError::too_long);
  return writer.written();
}

TagsRead read_tags(Bytes meta, std::span<Tag> out) {
  TagsRead read;
  bool all_fit = true;
  const bool well_formed = for_each_tag(meta, [&](const Tag& tag) {
    const auto filled = out.first(read.count);
    const auto same = std::find_if(filled.begin(), filled.end(),
                                   [&](const Tag& known) { return known.key == tag.key; });
    if (same != filled.end()) {
      same->value = tag.value;
    } else if (read.count < out.size()) {
      out[read.count++] = tag;
    } else {
      all_fit = false;
    }
  });
  read.complete = well_formed && all_fit;
  return read;
}

std::optional<std::string_view> find_tag(Bytes meta, std::string_view key) {
  std::optional<std::string_view> found;
  for_each_tag(meta, [&](const Tag& tag) {
    if (tag.key == key) found = tag.value;
  });
  return found;
}

}  // namespace starling
