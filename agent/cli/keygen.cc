#include <array>
#include <string_view>

#include <sys/random.h>

#include "agent/cli/command.h"
#include "agent/go_text.h"

namespace starling::agent::cli {

Command keygen_command() {
  std::string help = help_text("keygen",
                               "  Makes a new encryption key: 32 random bytes in base64, as the\n"
                               "  agent's -encrypt takes it.\n",
                               FlagSet());
  return {"keygen", "Make a new encryption key", std::move(help),
          [](std::span<const std::string>, Console& console) {
            std::array<char, 32> key{};
            if (getrandom(key.data(), key.size(), 0) != static_cast<ssize_t>(key.size())) {
              console.out << "Error reading random data\n";
              return 1;
            }
            console.out << base64_encode({key.data(), key.size()}) << "\n";
            return 0;
          }};
}

}  // namespace starling::agent::cli
