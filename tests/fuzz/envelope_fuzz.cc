// Any datagram, plain or as the inside of a sealed one: what comes out is well-formed, bounded, and
// survives being wrapped and peeled again. The first byte chooses the layers around the input.
#include <memory>
#include <vector>

#include "tests/fuzz/fuzz.h"
#include "wire/envelope.h"
#include "wire/sync.h"

namespace starling {
namespace {

constexpr std::size_t packet_bytes_max = 65'536;
constexpr std::size_t list_max = 512;

EnvelopeLimits small_limits() {
  EnvelopeLimits limits;
  limits.inflated_bytes_max = 1 << 15;
  limits.parts_max = 300;
  return limits;
}

Keyring one_key() {
  Keyring keyring;
  const std::array<std::byte, 16> raw{std::byte{0x2a}};
  CHECK(keyring.add(*AesKey::from(raw)));
  return keyring;
}

// Built once: key schedules and work memory cost more than an input.
struct Bench {
  EnvelopeLimits limits = small_limits();
  std::vector<std::byte> workspace = std::vector<std::byte>(2 * Peeler::workspace_bytes(limits));
  Peeler peeler{limits, workspace};
  Wrapper wrapper;
  Cipher no_cipher{Keyring()};
  Cipher cipher{one_key()};
  std::vector<Bytes> parts = std::vector<Bytes>(list_max);
  std::vector<std::byte> packet = std::vector<std::byte>(2 * packet_bytes_max);
  std::vector<std::byte> again = std::vector<std::byte>(2 * packet_bytes_max);
};

// Label and encryption around the input, nothing checked or compressed on the way.
Bytes seal(Bench& bench, Bytes input, const EnvelopePolicy& policy, Cipher& cipher) {
  Writer out(bench.packet);
  encode_label(policy.label.label, out);
  const std::size_t sealed = cipher.seal(policy.encryption_version, Nonce{},
                                         as_bytes(policy.label.label), input, out.spare());
  CHECK(sealed == Cipher::sealed_size(policy.encryption_version, input.size()));
  out.advance(sealed);
  return out.written();
}

bool inside(Bytes part, Bytes whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

void check_envelope(Bytes input) {
  static const auto bench = std::make_unique<Bench>();
  const std::uint8_t choice = fuzz::take_byte(input);
  if (input.size() > packet_bytes_max / 2) return;
  EnvelopePolicy policy;
  policy.verify_incoming = (choice & 1) == 0;
  if ((choice & 2) != 0) policy.label.label = "blue";
  policy.encryption_version = (choice & 4) == 0 ? 1 : 0;
  Cipher& cipher = (choice & 8) == 0 ? bench->no_cipher : bench->cipher;
  const bool sealed = (choice & 24) == 24;
  const Bytes packet = sealed ? seal(*bench, input, policy, cipher) : input;

  bench->peeler.reset();
  const auto result = bench->peeler.peel(packet, policy, cipher, bench->parts);
  CHECK(result.parts <= bench->limits.parts_max);
  CHECK(result.parts > 0 || result.faulty || !input.empty());
  // The second half of the workspace is for peeling again, so the first results stay valid.
  for (std::size_t i = 0; i < result.parts; ++i) {
    const Bytes part = bench->parts[i];
    CHECK(!part.empty());
    CHECK(inside(part, packet) || inside(part, bench->workspace));
    const auto type = std::to_integer<unsigned>(part[0]);
    CHECK(type <= 5 || type == 8 || type == 11 || type == sync_message_type);
  }
  if (result.parts == 0) return;
  const Bytes part = bench->parts[result.parts - 1];
  const std::size_t wrapped =
      bench->wrapper.datagram(part, (choice & 32) != 0, policy, cipher, Nonce{}, bench->again);
  CHECK(wrapped > 0);
  std::array<Bytes, 2> unwrapped;
  const auto second =
      bench->peeler.peel(Bytes(bench->again).first(wrapped), policy, cipher, unwrapped);
  CHECK(second.parts == 1 && !second.faulty);
  CHECK(equal(unwrapped[0], part));
}

}  // namespace
}  // namespace starling

FUZZ_TARGET(starling::check_envelope)
