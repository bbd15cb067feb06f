#include <array>
#include <string_view>

#include <sys/random.h>

#include "agent/cli/command.h"
#include "agent/go_text.h"

namespace starling::agent::cli {

Command keygen_command() {
  const auto define = [](FlagSet& flags, FormatFlag& format) { format.define(flags); };
  FormatFlag described;
  FlagSet described_flags;
  define(described_flags, described);
  Help help = help_text("keygen [options]",
                        "  Makes a new encryption key: 32 random bytes in base64, as the\n"
                        "  agent's -encrypt takes it.\n",
                        described_flags);
  return {"keygen", "Make a new encryption key", help,
          [help, define](std::span<const std::string> arguments, Console& console) {
            FormatFlag format;
            FlagSet flags;
            define(flags, format);
            if (const auto parsed = parse_flags(flags, arguments, help, console); !parsed) {
              return parsed.error();
            }
            if (const auto problem = format.problem()) return console.fail(*problem);
            std::array<char, 32> key{};
            if (getrandom(key.data(), key.size(), 0) != static_cast<ssize_t>(key.size())) {
              return console.fail("Error reading random data");
            }
            const std::string text = base64_encode({key.data(), key.size()});
            if (format.json()) {
              print_json(console.out, {{"key", text}});
            } else {
              console.out << text << "\n";
            }
            return 0;
          }};
}

}  // namespace starling::agent::cli
