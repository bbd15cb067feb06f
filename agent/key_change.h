// The three ways to change the keys of a cluster, and what they are called.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace starling::agent {

enum class KeyChange : std::uint8_t { install, use, remove };
inline constexpr std::array<KeyChange, 3> key_changes{KeyChange::install, KeyChange::use,
                                                      KeyChange::remove};

// As RPC command and, after "_serf_", as query: "install-key".
constexpr std::string_view to_text(KeyChange change) {
  constexpr std::array<std::string_view, 3> texts{"install-key", "use-key", "remove-key"};
  return texts[static_cast<std::size_t>(change)];
}
constexpr std::optional<KeyChange> key_change_from(std::string_view text) {
  for (const KeyChange change : key_changes) {
    if (to_text(change) == text) return change;
  }
  return std::nullopt;
}

}  // namespace starling::agent
