// Every recorded packet and stream without encryption: decode, compare, encode again.
#include <gtest/gtest.h>

#include "tests/support/message_json.h"
#include "wire/crc.h"
#include "wire/label.h"
#include "wire/messages.h"

namespace starling {
namespace {

using nlohmann::json;
using test::ByteVector;
using test::Carrier;

struct Recorded {
  const json& vector;
  std::string id = vector.at("id");
  Carrier carrier = vector.at("transport") == "udp" ? Carrier::datagram : Carrier::stream;
  // Answers on a stream carry no label, whatever is configured.
  bool labelled = vector.contains("label") && vector.at("kind") != "reply";
  bool lenient = id.starts_with("lenient-");
};

// What stands behind label and checksum.
Decoded<ByteVector> unwrap(const Recorded& recorded) {
  const ByteVector packet = test::from_hex(recorded.vector.at("hex").get<std::string>());
  const std::string label =
      recorded.labelled ? recorded.vector.at("label").get<std::string>() : std::string();
  auto message = strip_label(packet, {.label = label});
  if (!message) return std::unexpected(message.error());
  if (recorded.carrier == Carrier::datagram && message->size() >= crc_header_bytes &&
      (*message)[0] == std::byte{12}) {
    message = strip_crc(*message);
    if (!message) return std::unexpected(message.error());
  }
  ByteVector inner = test::to_vector(*message);
  if (recorded.carrier == Carrier::stream && !inner.empty() && inner[0] == std::byte{9}) {
    inner = test::inflate(inner);
  }
  return inner;
}

// The recorded packet, built again from the decoded message.
ByteVector wrap(const Recorded& recorded, SignedStyle style) {
  const auto inner = unwrap(recorded);
  ByteVector message = test::encode_again(*inner, recorded.carrier, style);
  const json& decoded = recorded.vector.at("decoded");
  if (decoded.contains("compressed")) message = test::deflate(message);
  ByteVector room(1 << 17);
  Writer out(room);
  if (recorded.labelled) encode_label(recorded.vector.at("label").get<std::string>(), out);
  if (decoded.contains("crc32")) {
    std::array<std::byte, crc_header_bytes> header;
    fill_crc_header(header, message);
    out.put(header);
  }
  out.put(message);
  return test::to_vector(out.written());
}

std::vector<Recorded> plain_vectors() {
  std::vector<Recorded> plain;
  for (const json& vector : test::load_vectors("memberlist.json").at("vectors")) {
    if (!vector.contains("key_hex")) plain.push_back(Recorded{vector});
  }
  return plain;
}

TEST(Vectors, AreAllThere) {
  const json& file = test::load_vectors("memberlist.json");
  EXPECT_EQ(file.at("vectors").size(), 153u);
  EXPECT_EQ(plain_vectors().size(), 107u);
}

TEST(Vectors, DecodeToWhatWasRecorded) {
  for (const Recorded& recorded : plain_vectors()) {
    if (recorded.vector.at("expect") != "decode") continue;
    SCOPED_TRACE(recorded.id);
    const auto message = unwrap(recorded);
    ASSERT_TRUE(message);
    EXPECT_EQ(test::describe(*message, recorded.carrier),
              test::canonical(recorded.vector.at("decoded").at("message")));
  }
}

TEST(Vectors, RejectsAreRejected) {
  std::size_t rejected = 0;
  for (const Recorded& recorded : plain_vectors()) {
    if (recorded.vector.at("expect") != "reject") continue;
    SCOPED_TRACE(recorded.id);
    const auto message = unwrap(recorded);
    EXPECT_TRUE(!message || test::faulty(test::describe(*message, recorded.carrier)));
    ++rejected;
  }
  EXPECT_GT(rejected, 10u);
}

// Go tells empty from nil byte fields; we always write nil, as the older generation does.
bool has_empty_bytes(const json& recorded) {
  return recorded == json{{"hex", ""}} ||
         (recorded.is_structured() &&
          std::any_of(recorded.begin(), recorded.end(), has_empty_bytes));
}

TEST(Vectors, EncodeToTheSameBytes) {
  std::size_t compared = 0;
  for (const Recorded& recorded : plain_vectors()) {
    if (recorded.vector.at("expect") != "decode" || recorded.lenient) continue;
    if (recorded.id == "compound-255") continue;  // more parts than we ever send
    if (has_empty_bytes(recorded.vector.at("decoded"))) continue;
    SCOPED_TRACE(recorded.id);
    ++compared;
    const std::string wanted = recorded.vector.at("hex");
    const std::string older = test::to_hex(wrap(recorded, SignedStyle::unsigned_form));
    const std::string newer = test::to_hex(wrap(recorded, SignedStyle::signed_form));
    if (recorded.id.ends_with("@0.2.2")) {
      EXPECT_EQ(older, wanted);
    } else if (recorded.id.ends_with("@head")) {
      EXPECT_EQ(newer, wanted);
    } else {
      EXPECT_TRUE(older == wanted || newer == wanted) << older << "\n" << newer << "\n" << wanted;
    }
  }
  EXPECT_GT(compared, 70u);
}

TEST(Vectors, LenientFormsBecomeCanonical) {
  for (const Recorded& recorded : plain_vectors()) {
    if (!recorded.lenient) continue;
    SCOPED_TRACE(recorded.id);
    const auto message = unwrap(recorded);
    ASSERT_TRUE(message);
    const ByteVector again =
        test::encode_again(*message, recorded.carrier, SignedStyle::signed_form);
    EXPECT_EQ(test::describe(again, recorded.carrier), test::describe(*message, recorded.carrier));
    EXPECT_EQ(test::encode_again(again, recorded.carrier, SignedStyle::signed_form), again);
  }
}

}  // namespace
}  // namespace starling
