// Small text files: configuration, keyrings, tags.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace starling::agent {

// The whole file; errors as Go words them: "open PATH: no such file or directory". Bound: 16 MiB.
std::expected<std::string, std::string> read_text_file(const std::string& path);

// Replaces the file by one of mode 0600 with this content. Written beside it and renamed, so that a
// crash leaves the old or the new content.
std::expected<void, std::string> write_text_file(const std::string& path, std::string_view text);

bool file_exists(const std::string& path);

}  // namespace starling::agent
