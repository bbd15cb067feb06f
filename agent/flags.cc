#include "agent/flags.h"

#include <algorithm>
#include <charconv>

#include "agent/go_text.h"

namespace starling::agent {
namespace {

std::optional<bool> go_bool(std::string_view text) {
  for (const std::string_view yes : {"1", "t", "T", "true", "TRUE", "True"}) {
    if (text == yes) return true;
  }
  for (const std::string_view no : {"0", "f", "F", "false", "FALSE", "False"}) {
    if (text == no) return false;
  }
  return std::nullopt;
}

// Go's strconv.ParseInt with base 0, without underscores.
std::optional<std::string> go_int(std::string_view text, std::optional<int>& target) {
  std::string_view digits = text;
  const bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.remove_prefix(1);
  int base = 10;
  if (digits.size() > 1 && digits[0] == '0') {
    const char kind = digits[1];
    base = kind == 'x' || kind == 'X' ? 16 : kind == 'b' || kind == 'B' ? 2 : 8;
    const bool letter = base != 8 || kind == 'o' || kind == 'O';
    digits.remove_prefix(letter ? 2 : 1);
  }
  if (digits.empty() || digits[0] == '-' || digits[0] == '+') return "parse error";
  const std::string signed_digits = (negative ? "-" : "") + std::string(digits);
  int value = 0;
  const char* const end = signed_digits.data() + signed_digits.size();
  const auto [at, error] = std::from_chars(signed_digits.data(), end, value, base);
  if (error == std::errc::result_out_of_range) return "value out of range";
  if (error != std::errc() || at != end) return "parse error";
  target = value;
  return std::nullopt;
}

}  // namespace

void FlagSet::text(FlagText flag, std::string& target) {
  custom(flag, [&target](std::string_view value) {
    target = value;
    return std::optional<std::string>();
  });
}

void FlagSet::text(FlagText flag, std::optional<std::string>& target) {
  custom(flag, [&target](std::string_view value) {
    target = std::string(value);
    return std::optional<std::string>();
  });
}

void FlagSet::list(FlagText flag, std::vector<std::string>& target) {
  custom(flag, [&target](std::string_view value) {
    target.emplace_back(value);
    return std::optional<std::string>();
  });
  flags_.back().repeatable = true;
}

void FlagSet::boolean(FlagText flag, bool& target) {
  custom(flag, [&target](std::string_view value) -> std::optional<std::string> {
    const std::optional<bool> parsed = go_bool(value);
    if (!parsed) return "parse error";
    target = *parsed;
    return std::nullopt;
  });
  flags_.back().boolean = true;
}

void FlagSet::integer(FlagText flag, std::optional<int>& target) {
  custom(flag, [&target](std::string_view value) { return go_int(value, target); });
}

void FlagSet::custom(FlagText flag, Setter set) {
  flags_.push_back({.text = flag, .set = std::move(set)});
}

FlagSet::Flag* FlagSet::find(std::string_view name) {
  const auto at = std::ranges::find_if(flags_, [&](const Flag& f) { return f.text.name == name; });
  return at == flags_.end() ? nullptr : &*at;
}

bool FlagSet::given(std::string_view name) const {
  return std::ranges::any_of(flags_, [&](const Flag& f) { return f.text.name == name && f.given; });
}

std::optional<std::string> FlagSet::value(std::string_view name) const {
  const auto at = std::ranges::find_if(flags_, [&](const Flag& f) { return f.text.name == name; });
  return at == flags_.end() ? std::nullopt : std::optional(at->value);
}

std::expected<std::vector<std::string>, FlagError> FlagSet::parse(
    std::span<const std::string> arguments) {
  for (Flag& flag : flags_) {
    flag.given = false;
    flag.value.clear();
  }
  std::size_t at = 0;
  for (; at < arguments.size(); ++at) {
    const std::string_view argument = arguments[at];
    if (argument.size() < 2 || argument[0] != '-') break;
    if (argument == "--") {
      ++at;
      break;
    }
    std::string_view name = argument.substr(argument[1] == '-' ? 2 : 1);
    if (name.empty() || name[0] == '-' || name[0] == '=') {
      return std::unexpected(FlagError{"bad flag syntax: " + std::string(argument)});
    }
    std::optional<std::string_view> value;
    if (const std::size_t equals = name.find('='); equals != std::string_view::npos) {
      value = name.substr(equals + 1);
      name = name.substr(0, equals);
    }
    const std::string dashed = "-" + std::string(name);
    Flag* const flag = find(name);
    if (flag == nullptr) {
      if (name == "h" || name == "help") return std::unexpected(FlagError{"", true});
      return std::unexpected(FlagError{"flag provided but not defined: " + dashed});
    }
    if (!value && flag->boolean) {
      value = "true";
    } else if (!value) {
      if (at + 1 >= arguments.size()) {
        return std::unexpected(FlagError{"flag needs an argument: " + dashed});
      }
      value = arguments[++at];
    }
    flag->given = true;
    flag->value = flag->boolean ? go_bool(*value).value_or(false) ? "true" : "false" : *value;
    if (const std::optional<std::string> problem = flag->set(*value)) {
      const std::string quoted = go_quote(*value);
      return std::unexpected(FlagError{
          flag->boolean ? "invalid boolean value " + quoted + " for " + dashed + ": " + *problem
                        : "invalid value " + quoted + " for flag " + dashed + ": " + *problem});
    }
  }
  return std::vector<std::string>(arguments.begin() + static_cast<std::ptrdiff_t>(at),
                                  arguments.end());
}

std::vector<FlagDescription> FlagSet::descriptions() const {
  std::vector<FlagDescription> all;
  for (const Flag& flag : flags_) all.push_back({flag.text, flag.boolean, flag.repeatable});
  return all;
}

std::string FlagSet::usage() const {
  constexpr std::size_t indent = 28;
  std::string out;
  for (const Flag& flag : flags_) {
    std::string line = "  -" + std::string(flag.text.name);
    if (!flag.text.hint.empty()) line += "=" + std::string(flag.text.hint);
    std::string_view help = flag.text.help;
    bool first = true;
    while (first || !help.empty()) {
      const std::size_t end = std::min(help.find('\n'), help.size());
      if (!first) {
        line.assign(indent, ' ');
      } else if (line.size() + 1 >= indent) {
        out += line + "\n";
        line.assign(indent, ' ');
      } else {
        line.resize(indent, ' ');
      }
      out += line + std::string(help.substr(0, end)) + "\n";
      help.remove_prefix(std::min(end + 1, help.size()));
      first = false;
    }
  }
  return out;
}

}  // namespace starling::agent
