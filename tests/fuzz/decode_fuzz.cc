// Any datagram, stream or captured frame through the whole of `starling decode`: it must end, with
// JSON that can be read again. The first byte chooses transport, key, label and link type.
#include <memory>

#include "agent/decode/decoder.h"
#include "agent/decode/tcp_flows.h"
#include "tests/fuzz/fuzz.h"

namespace starling {
namespace {

using agent::decode::Decoder;

AesKey fixed_key() {
  const std::array<std::byte, 16> raw{std::byte{0x2a}};
  return *AesKey::from(raw);
}

struct Bench {
  Decoder plain{{}};
  Decoder labelled{{.keys = {}, .label = "x"}};
  Decoder keyed{{.keys = {fixed_key()}, .label = {}}};
  Cipher cipher = [] {
    Keyring ring;
    CHECK(ring.add(fixed_key()));
    return Cipher(ring);
  }();
};

void check_printed(const agent::decode::Json& decoded) {
  const std::string text = agent::decode::to_text(decoded, -1);
  CHECK(agent::decode::Json::accept(text));
  if (agent::decode::is_bad(decoded)) CHECK(!agent::decode::fault_text(decoded).empty());
}

// Segments of up to 16 bytes, with sequence numbers from the input.
void check_flows(Bytes input) {
  agent::decode::TcpFlows flows({.bytes_max = 512, .flows_max = 4});
  std::size_t given = 0;
  std::size_t taken = 0;
  while (!input.empty()) {
    const std::uint8_t choice = fuzz::take_byte(input);
    agent::decode::Packet packet;
    packet.source.port = choice & 7;
    packet.tcp = {.sequence = fuzz::take_byte(input) * 3U - 64U,
                  .syn = (choice & 8) != 0,
                  .fin = (choice & 16) != 0,
                  .reset = (choice & 32) != 0};
    packet.payload = input.first(std::min<std::size_t>(input.size(), choice >> 4));
    input = input.subspan(packet.payload.size());
    given += packet.payload.size();
    for (const auto& stream : flows.add(packet, 0)) taken += stream.bytes.size();
  }
  for (const auto& stream : flows.finish()) taken += stream.bytes.size();
  CHECK(taken <= given);
}

void check_frame(std::uint8_t choice, Bytes input) {
  constexpr std::array links{0, 1, 12, 108, 113, 276};
  const auto packet = agent::decode::parse_frame(links[choice % links.size()], input);
  if (packet) CHECK(packet->payload.size() <= input.size());
}

void check_decode(Bytes input) {
  static const auto bench = std::make_unique<Bench>();
  const std::uint8_t choice = fuzz::take_byte(input);
  if (input.size() > 65'000) return;
  switch (choice % 7) {
    case 0:
      return check_printed(bench->plain.datagram(input));
    case 1:
      return check_printed(bench->plain.stream(input));
    case 2:
      return check_printed(bench->labelled.datagram(input));
    case 3:
      return check_printed(bench->keyed.stream(input));
    case 4: {
      std::vector<std::byte> sealed(input.size() + encrypt_overhead_v0_max);
      sealed.resize(bench->cipher.seal(choice & 1, Nonce{}, {}, input, sealed));
      return check_printed(bench->keyed.datagram(sealed));
    }
    case 5:
      return check_flows(input);
    default:
      return check_frame(choice, input);
  }
}

}  // namespace
}  // namespace starling

FUZZ_TARGET(starling::check_decode)
