// Command line flags in Go's syntax, so that scripts written for Serf keep working.
//
// protocol/serf section 16.1: `-x v`, `-x=v`, `--x`, booleans `-x` or `-x=false`, flags before
// positional arguments, `--` ends them. The error texts are the ones Go prints. A FlagSet is filled
// by one command, owned by it, and points at that command's variables.
#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace starling::agent {

// What a flag looks like in the help: `-name=hint`, then the help text.
struct FlagText {
  std::string_view name;
  std::string_view hint;  // may be empty
  std::string_view help;  // lines separated by \n
};

// A flag as it is defined: what help, completion and manual pages are made from.
struct FlagDescription {
  FlagText text;
  bool boolean = false;     // needs no value
  bool repeatable = false;  // each adds one more
};

struct FlagError {
  std::string text;
  bool help_wanted = false;  // -h or -help where no such flag is defined
};

class FlagSet {
 public:
  void text(FlagText flag, std::string& target);
  void text(FlagText flag, std::optional<std::string>& target);
  void list(FlagText flag, std::vector<std::string>& target);  // repeatable
  void boolean(FlagText flag, bool& target);
  void integer(FlagText flag, std::optional<int>& target);
  // `set` returns what is wrong with the value, or nullopt.
  using Setter = std::function<std::optional<std::string>(std::string_view)>;
  void custom(FlagText flag, Setter set);

  // The positional arguments that follow the flags.
  std::expected<std::vector<std::string>, FlagError> parse(std::span<const std::string> arguments);

  // True when the flag stood on the command line of the last parse().
  bool given(std::string_view name) const;

  // The value that the last parse() gave a flag, "true" or "false" for a boolean; empty when none
  // was given, nullopt when there is no such flag.
  std::optional<std::string> value(std::string_view name) const;

  // All flags, in the order of definition.
  std::vector<FlagDescription> descriptions() const;

  // The options of a help text, one paragraph a flag, in the order of definition.
  std::string usage() const;

 private:
  struct Flag {
    FlagText text;
    Setter set;
    bool boolean = false;
    bool repeatable = false;
    bool given = false;
    std::string value;
  };
  Flag* find(std::string_view name);
  std::vector<Flag> flags_;
};

}  // namespace starling::agent
