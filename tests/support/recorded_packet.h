// One recorded packet or stream direction of memberlist.json, and how its layers come off. For
// tests only.
#pragma once

#include <memory>

#include "tests/support/message_json.h"
#include "wire/envelope.h"

namespace starling::test {

// Kept on the heap once: the wrapper and the peeler's decoder are large.
struct RecordedPacket {
  explicit RecordedPacket(const nlohmann::json& vector);

  std::string id;
  Carrier carrier;
  bool is_reply;   // server -> client: no label header
  bool is_reject;  // must not give a message
  ByteVector bytes;
  std::string label;
  Keyring keyring;
  Nonce nonce{};
  nlohmann::json message;  // canonical form; null for rejects
  bool has_crc = false;
  bool is_compressed = false;
  unsigned encryption_version = 1;

  // The settings that its sender had.
  EnvelopePolicy policy() const;
  // The message inside label, encryption, checksum and one compress layer.
  ByteVector innermost() const;
};

// All 153.
const std::vector<RecordedPacket>& recorded_packets();

// The messages of a datagram in order, compound and compress resolved: what a Peeler should give.
nlohmann::json leaves(const nlohmann::json& message);

}  // namespace starling::test
