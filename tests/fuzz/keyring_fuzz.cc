// Any text of a keyring file: a ring of good keys or an error that names the file; a ring is read
// again from what is written of it.
#include <algorithm>

#include "agent/keyring_file.h"
#include "tests/fuzz/fuzz.h"

namespace starling {
namespace {

void check_keyring(Bytes input) {
  const auto ring = agent::decode_keyring(as_text(input), "F");
  if (!ring) {
    CHECK(ring.error() == "Keyring file contains no keys" ||
          ring.error().starts_with("Failed to decode keyring file: F: "));
    return;
  }
  CHECK(!ring->empty() && ring->keys().size() <= Keyring::keys_max);
  const auto again = agent::decode_keyring(agent::keyring_text(*ring), "F");
  CHECK(again.has_value() && std::ranges::equal(again->keys(), ring->keys()));
}

}  // namespace
}  // namespace starling

FUZZ_TARGET(starling::check_keyring)
