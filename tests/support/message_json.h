// Messages as JSON, to compare what a decoder gave with what a vector file recorded. For tests
// only.
//
//   EXPECT_EQ(describe(message, Carrier::datagram), canonical(vector["decoded"]["message"]));
// Both sides list every field; bytes are hexadecimal text; nil, empty and missing are the same.
#pragma once

#include "tests/support/vectors.h"
#include "wire/push_pull.h"

namespace starling::test {

// Types 6 and 8 have other bodies on streams than on datagrams.
enum class Carrier : std::uint8_t { datagram, stream };

// The message without encryption, label and checksum: `message` starts with its type byte. Compound
// and compress wrappers are described with what is inside. What does not decode becomes
// {"fault": ...} in its place; see faulty().
nlohmann::json describe(Bytes message, Carrier carrier);

// A recorded message in the same form.
nlohmann::json canonical(const nlohmann::json& recorded);

// Something in the description, however deep, did not decode.
bool faulty(const nlohmann::json& described);

// Decodes and encodes again, wrappers included: equal to the input when Go wrote it, except that
// empty byte fields become nil. Empty when something does not decode or has too many parts.
ByteVector encode_again(Bytes message, Carrier carrier, SignedStyle style);

// What is inside a compress message; empty when it is broken. At most 16 MiB.
ByteVector inflate(Bytes message);
// A compress message around `inner`.
ByteVector deflate(Bytes inner);

}  // namespace starling::test
