#include "tests/support/recorded_packet.h"

#include "wire/base/check.h"

namespace starling::test {

using nlohmann::json;

RecordedPacket::RecordedPacket(const json& vector)
    : id(vector.at("id")),
      carrier(vector.at("transport") == "udp" ? Carrier::datagram : Carrier::stream),
      is_reply(vector.at("transport") == "tcp server->client"),
      is_reject(vector.at("expect") == "reject"),
      bytes(from_hex(vector.at("hex").get<std::string>())),
      label(vector.value("label", "")) {
  if (vector.contains("key_hex")) {
    CHECK(keyring.add(*AesKey::from(from_hex(vector.at("key_hex").get<std::string>()))));
  }
  if (vector.contains("nonce_hex")) {
    std::ranges::copy(from_hex(vector.at("nonce_hex").get<std::string>()), nonce.begin());
  }
  if (is_reject) return;
  const json& decoded = vector.at("decoded");
  message = canonical(decoded.at("message"));
  has_crc = decoded.contains("crc32");
  is_compressed = decoded.contains("compressed") || message.at("type") == "compress";
  encryption_version = decoded.value("encryption_version", 1u);
}

EnvelopePolicy RecordedPacket::policy() const {
  EnvelopePolicy policy;
  policy.label.label = label;
  policy.compress = is_compressed;
  policy.encryption_version = encryption_version;
  return policy;
}

ByteVector RecordedPacket::innermost() const {
  Bytes rest = bytes;
  if (!label.empty() && !is_reply) rest = rest.subspan(label_overhead(label));
  ByteVector plain(bytes.size());
  if (!keyring.empty()) {
    ByteVector associated;
    if (carrier == Carrier::stream) {
      associated = to_vector(rest.first(FrameHeader::size));
      rest = rest.subspan(FrameHeader::size);
    }
    associated.insert(associated.end(), as_bytes(label).begin(), as_bytes(label).end());
    Cipher cipher(keyring, Cipher::Engine::openssl);
    const auto opened = cipher.open(rest, associated, plain);
    CHECK(opened);
    rest = *opened;
  }
  if (has_crc) rest = rest.subspan(crc_header_bytes);
  return is_compressed ? inflate(rest) : to_vector(rest);
}

const std::vector<RecordedPacket>& recorded_packets() {
  static const std::vector<RecordedPacket> packets = [] {
    std::vector<RecordedPacket> all;
    for (const json& vector : load_vectors("memberlist.json").at("vectors")) {
      all.emplace_back(vector);
    }
    return all;
  }();
  return packets;
}

json leaves(const json& message) {
  if (message.at("type") == "compress") return leaves(message.at("inner"));
  if (message.at("type") != "compound") return json::array({message});
  json list = json::array();
  for (const json& part : message.at("parts")) {
    for (const json& leaf : leaves(part)) list.push_back(leaf);
  }
  return list;
}

}  // namespace starling::test
