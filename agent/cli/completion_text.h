// Completion for shells, made from the commands and their flags as the help is. Pure functions.
//
// Commands, flags, and values of flags whose hint lists them ("text|json") or is a kind of file.
#pragma once

#include <span>
#include <string>

#include "agent/cli/command.h"

namespace starling::agent::cli {

// To be sourced; /usr/share/bash-completion/completions/starling.
std::string bash_completion(std::span<const Command> commands);
// The function _starling; to lie in a folder of fpath as _starling.
std::string zsh_completion(std::span<const Command> commands);
// ~/.config/fish/completions/starling.fish
std::string fish_completion(std::span<const Command> commands);

}  // namespace starling::agent::cli
