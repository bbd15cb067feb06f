// A member's tags and the metadata bytes that carry them.
//
// protocol/serf section 2. From Serf protocol 3 on, metadata is a map of tags; protocol 2 carries
// only the role, bare. Views and caller's memory, no state; any thread.
#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string_view>

#include "wire/serf_messages.h"

namespace starling {

enum class TagsError : std::uint8_t { too_long };
// The message for the user.
std::string_view to_text(TagsError error);

// Encodes `tags` into `out` as a node of Serf protocol `protocol` advertises them, and returns the
// part written. Sorts `tags` by key in place, so equal tags give equal bytes. Keys must differ.
std::expected<Bytes, TagsError> write_tags(std::span<Tag> tags, std::uint8_t protocol,
                                           std::span<std::byte, meta_bytes_max> out);

struct TagsRead {
  std::size_t count = 0;  // how many of `out` were filled
  bool complete = true;   // false: malformed metadata, or more tags than fit
};
// Fills `out` with views into `meta`, in wire order; of a repeated key the last value, as Go keeps.
TagsRead read_tags(Bytes meta, std::span<Tag> out);

// One tag's value. A missing tag is not an error; filters take it as empty.
std::optional<std::string_view> find_tag(Bytes meta, std::string_view key);

}  // namespace starling
