// Configuration files: one JSON object each. protocol/serf section 16.1.
//
// Only the first JSON value is read; keys match in any case; unknown keys and values of another
// type are errors that name the file and the key, in the words of Serf's decoder.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config.h"

namespace starling::agent {

// Decodes the text of one file. The error has no file name yet.
std::expected<PartialConfig, std::string> decode_config(std::string_view json);

// Every file in order; a folder is read one level deep, "*.json" by name.
std::expected<std::vector<PartialConfig>, std::string> read_config_files(
    const std::vector<ConfigPath>& paths);

}  // namespace starling::agent
