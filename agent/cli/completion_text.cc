#include "agent/cli/completion_text.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace starling::agent::cli {
namespace {

enum class ValueKind : std::uint8_t { none, any, choice, file };

ValueKind kind_of(const FlagDescription& flag) {
  constexpr std::array<std::string_view, 4> files{"file", "path", "folder", "dir"};
  if (flag.boolean) return ValueKind::none;
  if (std::ranges::find(files, flag.text.hint) != files.end()) return ValueKind::file;
  const bool words = std::ranges::all_of(
      flag.text.hint, [](char c) { return c == '|' || c == '-' || c == '_' || std::isalnum(c); });
  return words && flag.text.hint.contains('|') ? ValueKind::choice : ValueKind::any;
}

// "text|json" as "text json"
std::string choices(const FlagDescription& flag) {
  std::string words(flag.text.hint);
  std::ranges::replace(words, '|', ' ');
  return words;
}

std::string one_line(std::string_view text) {
  std::string line(text);
  std::ranges::replace(line, '\n', ' ');
  return line;
}

// Between single quotes: for zsh, whose quote is '\'' there, and for fish, whose is \'.
std::string zsh_quoted(std::string_view text, std::string_view special) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
      continue;
    }
    if (special.contains(c)) out += '\\';
    out += c;
  }
  return out;
}

std::string fish_quoted(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

std::string bash_completion(std::span<const Command> commands) {
  std::string names, values, flags;
  for (const Command& command : commands) {
    names += (names.empty() ? "" : " ") + std::string(command.name);
    std::string all;
    for (const FlagDescription& flag : command.help.flags) {
      all += (all.empty() ? "-" : " -") + std::string(flag.text.name);
      const std::string place = fmt::format("    '{} -{}')", command.name, flag.text.name);
      switch (kind_of(flag)) {
        case ValueKind::none:
          break;
        case ValueKind::any:
          values += place + " return ;;\n";
          break;
        case ValueKind::choice:
          values += fmt::format("{} COMPREPLY=($(compgen -W '{}' -- \"$cur\")); return ;;\n", place,
                                choices(flag));
          break;
        case ValueKind::file:
          values += place + " COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n";
          break;
      }
    }
    flags += fmt::format("    {}) flags='{}' ;;\n", command.name, all);
  }
  return "# Completion of starling for bash; made by: starling completion bash\n"
         "_starling() {\n"
         "  local cur=${COMP_WORDS[COMP_CWORD]} prev= command= flags= i\n"
         "  ((COMP_CWORD > 0)) && prev=${COMP_WORDS[COMP_CWORD-1]}\n"
         "  # bash makes three words of -flag=value.\n"
         "  if [[ $cur == = ]]; then\n"
         "    cur=\n"
         "  elif [[ $prev == = ]] && ((COMP_CWORD > 1)); then\n"
         "    prev=${COMP_WORDS[COMP_CWORD-2]}\n"
         "  fi\n"
         "  for ((i = 1; i < COMP_CWORD; ++i)); do\n"
         "    [[ ${COMP_WORDS[i]} == -* ]] && continue\n"
         "    command=${COMP_WORDS[i]}\n"
         "    break\n"
         "  done\n"
         "  COMPREPLY=()\n"
         "  if [[ -z $command ]]; then\n"
         "    COMPREPLY=($(compgen -W '" +
         names +
         "' -- \"$cur\"))\n"
         "    return\n"
         "  fi\n"
         "  case \"$command $prev\" in\n" +
         values +
         "  esac\n"
         "  case $command in\n" +
         flags +
         "  esac\n"
         "  if [[ $cur == -* ]]; then\n"
         "    COMPREPLY=($(compgen -W \"$flags\" -- \"$cur\"))\n"
         "  else\n"
         "    COMPREPLY=($(compgen -f -- \"$cur\"))\n"
         "  fi\n"
         "}\n"
         "complete -F _starling starling\n";
}

std::string zsh_completion(std::span<const Command> commands) {
  std::string names, cases;
  for (const Command& command : commands) {
    names += fmt::format("    '{}:{}'\n", command.name, zsh_quoted(command.synopsis, ":\\"));
    cases += fmt::format("    {})\n      _arguments", command.name);
    for (const FlagDescription& flag : command.help.flags) {
      const ValueKind kind = kind_of(flag);
      const std::string help = zsh_quoted(one_line(flag.text.help), "[]:\\");
      std::string spec = fmt::format("{}-{}{}[{}]", flag.repeatable ? "*" : "", flag.text.name,
                                     kind == ValueKind::none ? "" : "=", help);
      const std::string hint = zsh_quoted(flag.text.hint, "[]:\\");
      if (kind == ValueKind::any) spec += fmt::format(":{}: ", hint.empty() ? "value" : hint);
      if (kind == ValueKind::choice) spec += fmt::format(":{}:({})", hint, choices(flag));
      if (kind == ValueKind::file) spec += fmt::format(":{}:_files", hint);
      cases += fmt::format(" \\\n        '{}'", spec);
    }
    cases += " \\\n        '*:argument:_files'\n      ;;\n";
  }
  return "#compdef starling\n"
         "# Completion of starling for zsh; made by: starling completion zsh\n"
         "_starling() {\n"
         "  local -a commands\n"
         "  commands=(\n" +
         names +
         "  )\n"
         "  if (( CURRENT == 2 )); then\n"
         "    _describe -t commands command commands\n"
         "    return\n"
         "  fi\n"
         "  local command=$words[2]\n"
         "  # The command is the first word for what follows.\n"
         "  shift words\n"
         "  (( CURRENT-- ))\n"
         "  case $command in\n" +
         cases +
         "  esac\n"
         "}\n"
         "_starling \"$@\"\n";
}

std::string fish_completion(std::span<const Command> commands) {
  std::string out =
      "# Completion of starling for fish; made by: starling completion fish\n"
      "complete -c starling -n __fish_use_subcommand -f\n";
  for (const Command& command : commands) {
    out += fmt::format("complete -c starling -n __fish_use_subcommand -a {} -d '{}'\n",
                       command.name, fish_quoted(command.synopsis));
  }
  for (const Command& command : commands) {
    for (const FlagDescription& flag : command.help.flags) {
      out += fmt::format("complete -c starling -n '__fish_seen_subcommand_from {}' -o {}",
                         command.name, flag.text.name);
      switch (kind_of(flag)) {
        case ValueKind::none:
          break;
        case ValueKind::any:
          out += " -x";
          break;
        case ValueKind::choice:
          out += fmt::format(" -x -a '{}'", choices(flag));
          break;
        case ValueKind::file:
          out += " -r -F";
          break;
      }
      out += fmt::format(" -d '{}'\n", fish_quoted(one_line(flag.text.help)));
    }
  }
  return out;
}

}  // namespace starling::agent::cli
