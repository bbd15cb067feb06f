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

// Decodes the text of one file. With the file's name the error says as well in which line each
// fault is: "FILE:LINE: ...".
std::expected<PartialConfig, std::string> decode_config(std::string_view json,
                                                        const std::string& file = {});

// Every file in order; a folder is read one level deep, "*.json" by name.
std::expected<std::vector<PartialConfig>, std::string> read_config_files(
    const std::vector<ConfigPath>& paths);

// What is wrong with a file, or with every file of a folder: one text a file.
std::vector<std::string> config_faults(const ConfigPath& path);

}  // namespace starling::agent
