// Manual pages, made from the commands and their flags as the help is. Pure functions.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "agent/cli/command.h"

namespace starling::agent::cli {

// starling(1), in troff: all commands, what they share.
std::string man_overview(std::span<const Command> commands);
// starling-COMMAND(1).
std::string man_page(const Command& command);

// A text as troff shows it unchanged, one line or many.
std::string troff_text(std::string_view text);

}  // namespace starling::agent::cli
