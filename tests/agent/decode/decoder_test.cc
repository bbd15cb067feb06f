#include "agent/decode/decoder.h"

#include <gtest/gtest.h>

#include "tests/support/vectors.h"
#include "wire/envelope.h"

namespace starling::agent::decode {
namespace {

using nlohmann::json;
using test::from_hex;

Json decode(const json& vector) {
  Decoder::Options options;
  if (vector.contains("key_hex")) {
    options.keys.push_back(*AesKey::from(from_hex(vector["key_hex"].get<std::string>())));
  }
  if (vector.contains("label")) options.label = vector["label"].get<std::string>();
  Decoder decoder(std::move(options));
  const auto bytes = from_hex(vector["hex"].get<std::string>());
  return vector["transport"] == "udp" ? decoder.datagram(bytes) : decoder.stream(bytes);
}

// The recorded messages in order, wrappers resolved.
void collect_leaves(const json& message, std::vector<json>& leaves) {
  if (message.contains("inner")) return collect_leaves(message["inner"], leaves);
  if (!message.contains("parts")) return leaves.push_back(message);
  for (const json& part : message["parts"]) collect_leaves(part, leaves);
}

void expect_fields(const json& recorded, const Json& decoded, const std::string& id) {
  for (const auto& [key, value] : recorded.items()) {
    if (!value.is_number() && !value.is_boolean() && key != "Node" && key != "From" &&
        key != "Name" && key != "Vsn" && key != "Error") {
      continue;
    }
    if (key == "State") continue;  // a number there, a name here
    if (!decoded.contains(key) && (value == 0 || value == "")) continue;
    if (key == "Vsn" && !value.is_array()) continue;
    EXPECT_EQ(json::parse(decoded.value(key, Json()).dump()), value) << id << " " << key;
  }
}

TEST(Decoder, EveryRecordedPacketHasItsFields) {
  std::size_t decoded_count = 0;
  for (const json& vector : test::load_vectors("memberlist.json")["vectors"]) {
    if (vector["expect"] != "decode") continue;
    const std::string id = vector["id"];
    const Json decoded = decode(vector);
    ASSERT_FALSE(is_bad(decoded)) << id << " " << to_text(decoded, 2);
    std::vector<json> leaves;
    collect_leaves(vector["decoded"]["message"], leaves);
    ASSERT_EQ(decoded["messages"].size(), leaves.size()) << id;
    for (std::size_t i = 0; i < leaves.size(); ++i) {
      const Json& message = decoded["messages"][i];
      EXPECT_EQ(message["type"], leaves[i]["type"].get<std::string>()) << id;
      if (leaves[i].contains("body")) expect_fields(leaves[i]["body"], message, id);
      if (leaves[i].contains("header")) expect_fields(leaves[i]["header"], message, id);
      if (!leaves[i].contains("nodes")) continue;
      ASSERT_EQ(message["nodes"].size(), leaves[i]["nodes"].size()) << id;
      for (std::size_t n = 0; n < message["nodes"].size(); ++n) {
        expect_fields(leaves[i]["nodes"][n], message["nodes"][n], id);
      }
    }
    ++decoded_count;
  }
  EXPECT_EQ(decoded_count, 134U);
}

TEST(Decoder, EveryRecordedRejectIsBad) {
  std::map<std::string, std::string> texts;
  for (const json& vector : test::load_vectors("memberlist.json")["vectors"]) {
    if (vector["expect"] == "decode") continue;
    const Json decoded = decode(vector);
    ASSERT_TRUE(is_bad(decoded)) << vector["id"];
    EXPECT_TRUE(decoded["error"]["offset"].is_number()) << vector["id"];
    texts[vector["id"]] = fault_text(decoded);
  }
  EXPECT_EQ(texts.size(), 19U);
  EXPECT_EQ(texts["reject-seq-negative"], "ack: SeqNo: out of range at byte 7");
  EXPECT_EQ(texts["reject-compound-short-table"], "compound: lengths: truncated at byte 1");
  EXPECT_EQ(texts["reject-label-empty"], "label: length: malformed at byte 1");
  EXPECT_EQ(texts["reject-compress-algo1"], "compress: Algo: unsupported at byte 0");
  EXPECT_EQ(texts["reject-enc-wrong-aad"], "encryption: mismatch at byte 0");
}

TEST(Decoder, LayersInTheirOrder) {
  for (const json& vector : test::load_vectors("memberlist.json")["vectors"]) {
    if (vector["id"] == "enc-v0-crc-compound") {
      EXPECT_EQ(decode(vector)["layers"].dump(),
                R"([{"layer":"encryption","version":0,"key":"#1 of 1","plaintext_bytes":165},)"
                R"({"layer":"crc","value":"0d5f2623","ok":true},{"layer":"compound","parts":3}])");
    }
    if (vector["id"] == "label-crc-compound") {
      EXPECT_EQ(decode(vector)["layers"][0].dump(), R"({"layer":"label","label":"blue"})");
    }
  }
}

TEST(Decoder, NestedPartsSayWhereTheyAre) {
  Decoder decoder({});
  // compound(nack, compound(nack))
  const Json decoded =
      decoder.datagram(from_hex("07020009000d"
                                "0b81a55365714e6f01"
                                "07010009"
                                "0b81a55365714e6f02"));
  ASSERT_FALSE(is_bad(decoded)) << fault_text(decoded);
  EXPECT_EQ(decoded["layers"][1]["part"], "1");
  EXPECT_EQ(decoded["messages"][1]["part"], "1.0");
  EXPECT_EQ(decoded["messages"][1]["SeqNo"], 2);
}

TEST(Decoder, TheSecondKeyFits) {
  std::vector<AesKey> keys;
  for (const std::byte fill : {std::byte{1}, std::byte{2}}) {
    keys.push_back(*AesKey::from(std::vector<std::byte>(16, fill)));
  }
  Keyring ring;
  ASSERT_TRUE(ring.add(keys[1]));
  Cipher cipher(ring);
  std::vector<std::byte> sealed(64);
  sealed.resize(cipher.seal(1, Nonce{}, {}, as_bytes("\x08hello"), sealed));
  Decoder decoder({.keys = keys, .label = {}});
  const Json decoded = decoder.datagram(sealed);
  EXPECT_EQ(decoded["layers"][0]["key"], "#2 of 2");
  EXPECT_EQ(decoded["messages"][0]["payload"]["text"], "hello");
  Decoder keyless({});
  EXPECT_TRUE(keyless.datagram(sealed)["error"].contains("hint"));
}

TEST(Decoder, LabelsThatAreNotTheExpectedOne) {
  const auto packet = from_hex("f401780b81a55365714e6f01");
  EXPECT_FALSE(is_bad(Decoder({}).datagram(packet)));
  EXPECT_EQ(fault_text(Decoder({.keys = {}, .label = "y"}).datagram(packet)),
            "label: mismatch at byte 2");
  EXPECT_TRUE(is_bad(Decoder({.keys = {}, .label = "y"}).datagram(Bytes(packet).subspan(3))));
}

TEST(Decoder, NestingHasAnEnd) {
  std::vector<std::byte> packet = from_hex("0b81a55365714e6f01");
  for (int i = 0; i < 9; ++i) {
    const auto size = static_cast<std::uint8_t>(packet.size());
    packet.insert(packet.begin(),
                  {std::byte{7}, std::byte{1}, std::byte{0}, static_cast<std::byte>(size)});
  }
  const Json decoded = Decoder({}).datagram(packet);
  EXPECT_EQ(decoded["error"]["fault"], "too deeply nested");
}

TEST(Decoder, NothingAtAll) {
  EXPECT_TRUE(is_bad(Decoder({}).datagram({})));
  EXPECT_TRUE(is_bad(Decoder({}).stream({})));
}

}  // namespace
}  // namespace starling::agent::decode
