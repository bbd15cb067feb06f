#include "wire/envelope.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>

#include "tests/support/alloc_counter.h"
#include "tests/support/recorded_packet.h"
#include "wire/sync.h"

namespace starling {
namespace {

using nlohmann::json;
using test::ByteVector;
using test::Carrier;
using test::from_hex;
using test::RecordedPacket;
using test::to_hex;

// A Peeler with its workspace and a list for the parts.
class Opened {
 public:
  explicit Opened(const EnvelopeLimits& limits = {}, std::size_t list = 4096)
      : workspace_(Peeler::workspace_bytes(limits)), peeler_(limits, workspace_), list_(list) {}

  void peel(Bytes packet, const EnvelopePolicy& policy, const Keyring& keyring = {}) {
    Cipher cipher(keyring, Cipher::Engine::openssl);
    peeler_.reset();
    result = peeler_.peel(packet, policy, cipher, list_);
  }
  std::span<const Bytes> parts() const { return std::span(list_).first(result.parts); }
  json described() const {
    json all = json::array();
    for (const Bytes part : parts()) all.push_back(test::describe(part, Carrier::datagram));
    return all;
  }
  Peeler& peeler() { return peeler_; }

  Peeler::Result result;

 private:
  ByteVector workspace_;
  Peeler peeler_;
  std::vector<Bytes> list_;
};

ByteVector compound_of(std::initializer_list<ByteVector> parts) {
  ByteVector room(200'000);
  Writer out(room);
  out.u8(7);
  out.u8(static_cast<std::uint8_t>(parts.size()));
  for (const auto& part : parts) out.u16(static_cast<std::uint16_t>(part.size()));
  for (const auto& part : parts) out.put(part);
  EXPECT_TRUE(out.ok());
  return test::to_vector(out.written());
}

// A user message of `size` bytes in all.
ByteVector user(std::size_t size, std::uint8_t fill = 'u') {
  ByteVector message(size, std::byte{fill});
  message[0] = std::byte{8};
  return message;
}

AesKey short_key(std::uint8_t fill) {
  return *AesKey::from(ByteVector(16, std::byte{fill}));
}

Keyring ring_of(std::uint8_t fill) {
  Keyring ring;
  EXPECT_TRUE(ring.add(short_key(fill)));
  return ring;
}

TEST(Peeler, unfolds_every_recorded_datagram) {
  Opened opened;
  std::size_t decoded = 0;
  std::size_t rejected = 0;
  for (const RecordedPacket& packet : test::recorded_packets()) {
    if (packet.carrier != Carrier::datagram) continue;
    SCOPED_TRACE(packet.id);
    opened.peel(packet.bytes, packet.policy(), packet.keyring);
    const json parts = opened.described();
    if (packet.is_reject) {
      EXPECT_TRUE(opened.result.faulty || test::faulty(parts));
      for (const json& part : parts) EXPECT_TRUE(test::faulty(part));
      ++rejected;
    } else if (packet.message.contains("fault") || test::faulty(packet.message)) {
      ADD_FAILURE() << "a recorded message describes as faulty";
    } else {
      EXPECT_EQ(parts, test::leaves(packet.message));
      ++decoded;
    }
  }
  EXPECT_EQ(decoded, 86u);
  EXPECT_EQ(rejected, 19u);
}

TEST(Wrapper, wraps_every_recorded_datagram_byte_for_byte) {
  const auto wrapper = std::make_unique<Wrapper>();
  std::size_t compared = 0;
  for (const RecordedPacket& packet : test::recorded_packets()) {
    if (packet.carrier != Carrier::datagram || packet.is_reject) continue;
    if (packet.id.starts_with("lenient-")) continue;
    SCOPED_TRACE(packet.id);
    const ByteVector message = packet.innermost();
    // Made by hand: no sender compresses what grows by it.
    if (packet.is_compressed && packet.keyring.empty() && packet.bytes.size() > message.size()) {
      continue;
    }
    Cipher cipher(packet.keyring);
    ByteVector out(70'000);
    const std::size_t size =
        wrapper->datagram(message, packet.has_crc, packet.policy(), cipher, packet.nonce, out);
    EXPECT_EQ(to_hex(Bytes(out).first(size)), to_hex(packet.bytes));
    ++compared;
    // Exactly enough room is enough; one byte less is not.
    EXPECT_EQ(wrapper->datagram(message, packet.has_crc, packet.policy(), cipher, packet.nonce,
                                MutableBytes(out).first(size)),
              size);
    EXPECT_EQ(wrapper->datagram(message, packet.has_crc, packet.policy(), cipher, packet.nonce,
                                MutableBytes(out).first(size - 1)),
              0u);
  }
  EXPECT_GT(compared, 60u);
}

TEST(Wrapper, wraps_every_recorded_stream_byte_for_byte) {
  const auto wrapper = std::make_unique<Wrapper>();
  ByteVector scratch(1 << 20);
  ByteVector out(1 << 20);
  std::size_t compared = 0;
  for (const RecordedPacket& packet : test::recorded_packets()) {
    if (packet.carrier != Carrier::stream || packet.is_reject) continue;
    SCOPED_TRACE(packet.id);
    const ByteVector message = packet.innermost();
    Cipher cipher(packet.keyring);
    const auto wrap_into = [&](MutableBytes room) {
      return wrapper->stream(message, !packet.is_reply, SIZE_MAX, packet.policy(), cipher,
                             packet.nonce, scratch, room);
    };
    const std::size_t size = wrap_into(out);
    EXPECT_EQ(to_hex(Bytes(out).first(size)), to_hex(packet.bytes));
    EXPECT_LE(size, Wrapper::stream_bound(message.size()));
    EXPECT_EQ(wrap_into(MutableBytes(out).first(size)), size);
    EXPECT_EQ(wrap_into(MutableBytes(out).first(size - 1)), 0u);
    ++compared;
  }
  EXPECT_EQ(compared, 48u);
}

TEST(Wrapper, compresses_datagrams_only_when_smaller_and_streams_always) {
  const auto wrapper = std::make_unique<Wrapper>();
  Cipher cipher{Keyring()};
  ByteVector out(4096);
  ByteVector scratch(4096);
  const EnvelopePolicy policy;
  const ByteVector small = from_hex("0281a55365714e6f05");
  EXPECT_EQ(wrapper->datagram(small, false, policy, cipher, {}, out), small.size());
  const std::size_t grown = wrapper->stream(small, true, 1000, policy, cipher, {}, scratch, out);
  EXPECT_GT(grown, small.size());
  EXPECT_EQ(out[0], std::byte{9});
  EXPECT_EQ(wrapper->stream(small, true, small.size() - 1, policy, cipher, {}, scratch, out),
            small.size())
      << "too long to compress goes plain";
  EXPECT_EQ(
      wrapper->stream(small, true, 1000, policy, cipher, {}, MutableBytes(scratch).first(5), out),
      0u);
  for (std::size_t size = 1; size < 200; ++size) {
    const ByteVector message = user(size);
    const std::size_t wrapped = wrapper->datagram(message, false, policy, cipher, {}, out);
    EXPECT_TRUE(wrapped < size || (wrapped == size && out[0] == std::byte{8}));
  }
}

TEST(Wrapper, sends_plain_when_told_to) {
  const auto wrapper = std::make_unique<Wrapper>();
  Cipher cipher(ring_of(1));
  EnvelopePolicy policy;
  policy.verify_outgoing = false;
  policy.compress = false;
  ByteVector out(100);
  const ByteVector message = user(20);
  ASSERT_EQ(wrapper->datagram(message, false, policy, cipher, {}, out), 20u);
  EXPECT_EQ(to_hex(Bytes(out).first(20)), to_hex(message));
  ASSERT_EQ(wrapper->stream(message, true, 0, policy, cipher, {}, {}, out), 20u);
}

TEST(Envelope, every_combination_of_layers_round_trips) {
  const auto wrapper = std::make_unique<Wrapper>();
  Opened opened;
  ByteVector out(2000);
  for (unsigned bits = 0; bits < 32; ++bits) {
    EnvelopePolicy policy;
    if (bits & 1) policy.label.label = "blue";
    policy.compress = bits & 2;
    policy.encryption_version = bits & 4 ? 1 : 0;
    const Keyring keyring = bits & 8 ? ring_of(3) : Keyring();
    Cipher cipher(keyring);
    for (std::size_t size = 1; size < 1400; size = size * 3 / 2 + 1) {
      const ByteVector message = user(size);
      const std::size_t wrapped =
          wrapper->datagram(message, bits & 16, policy, cipher, Nonce{}, out);
      opened.peel(Bytes(out).first(wrapped), policy, keyring);
      ASSERT_FALSE(opened.result.faulty);
      ASSERT_EQ(opened.parts().size(), 1u);
      ASSERT_TRUE(equal(opened.parts()[0], message));
    }
  }
}

TEST(Peeler, with_keys_plaintext_is_refused_unless_verifying_is_off) {
  Opened opened;
  EnvelopePolicy policy;
  const ByteVector plain = user(60);
  opened.peel(plain, policy, ring_of(1));
  EXPECT_TRUE(opened.result.faulty);
  EXPECT_EQ(opened.result.parts, 0u);

  policy.verify_incoming = false;
  opened.peel(plain, policy, ring_of(1));
  EXPECT_FALSE(opened.result.faulty);
  ASSERT_EQ(opened.result.parts, 1u);
  EXPECT_TRUE(equal(opened.parts()[0], plain));

  // Encrypted input still works then.
  const auto wrapper = std::make_unique<Wrapper>();
  Cipher cipher(ring_of(1));
  ByteVector out(200);
  const std::size_t size = wrapper->datagram(plain, true, policy, cipher, Nonce{}, out);
  opened.peel(Bytes(out).first(size), policy, ring_of(1));
  ASSERT_EQ(opened.result.parts, 1u);
  EXPECT_TRUE(equal(opened.parts()[0], plain));
}

TEST(Peeler, label_rules) {
  Opened opened;
  EnvelopePolicy blue;
  blue.label.label = "blue";
  const auto fault_of = [&](const ByteVector& packet, const EnvelopePolicy& policy) {
    opened.peel(packet, policy);
    return opened.result.faulty;
  };
  EXPECT_TRUE(fault_of(user(5), blue)) << "label missing";
  EXPECT_TRUE(fault_of(from_hex("f403726564080102"), blue)) << "other label";
  EXPECT_FALSE(fault_of(from_hex("f404626c7565080102"), blue));
  EXPECT_TRUE(fault_of(from_hex("f404626c7565080102"), {})) << "label without one configured";
  EXPECT_TRUE(fault_of(from_hex("f404626c7565f404626c7565080102"), blue)) << "a second header";
  EXPECT_TRUE(fault_of(from_hex("f4"), blue));
  EXPECT_TRUE(fault_of(from_hex("f404626c75"), blue));
  blue.label.skip_inbound_check = true;
  EXPECT_TRUE(fault_of(from_hex("f404626c7565080102"), blue));
  EXPECT_FALSE(fault_of(user(5), blue));
}

// --- hostile input (protocol/memberlist section 21) -------------------------------------------

TEST(Peeler, empty_messages_are_faults_wherever_they_hide) {
  Opened opened;
  opened.peel({}, {});
  EXPECT_TRUE(opened.result.faulty);
  opened.peel(from_hex("0c00000000"), {});  // a checksum over nothing
  EXPECT_TRUE(opened.result.faulty);
  EXPECT_EQ(opened.result.parts, 0u);
  opened.peel(from_hex("0982a4416c676f00a3427566a3000302"), {});  // LZW of nothing
  EXPECT_TRUE(opened.result.faulty);
  opened.peel(compound_of({user(3), {}, user(4)}), {});
  EXPECT_TRUE(opened.result.faulty);
  ASSERT_EQ(opened.result.parts, 2u) << "the neighbours live on";
  EXPECT_EQ(opened.parts()[1].size(), 4u);
}

TEST(Peeler, only_types_of_datagrams_come_out) {
  Opened opened;
  for (unsigned type = 0; type < 256; ++type) {
    const ByteVector packet{static_cast<std::byte>(type), std::byte{0x80}};
    opened.peel(packet, {});
    const bool good = type <= 5 || type == 8 || type == 11 || type == sync_message_type;
    EXPECT_EQ(opened.result.parts, good ? 1u : 0u) << type;
    EXPECT_EQ(opened.result.faulty, !good) << type;
    opened.peel(compound_of({packet, user(2)}), {});
    EXPECT_EQ(opened.result.parts, good ? 2u : 1u) << type;
  }
}

TEST(Peeler, truncated_compounds_keep_their_whole_parts) {
  Opened opened;
  const ByteVector compound = compound_of({user(3), user(5), user(7)});
  const std::size_t table = 2 + 2 * 3;
  for (std::size_t size = 1; size <= compound.size(); ++size) {
    opened.peel(Bytes(compound).first(size), {});
    std::size_t whole = 0;
    if (size >= table + 3) whole = 1;
    if (size >= table + 8) whole = 2;
    if (size >= table + 15) whole = 3;
    EXPECT_EQ(opened.result.parts, whole) << size;
    EXPECT_EQ(opened.result.faulty, size < compound.size()) << size;
  }
  ByteVector with_tail = compound;
  with_tail.resize(with_tail.size() + 10);
  opened.peel(with_tail, {});
  EXPECT_EQ(opened.result.parts, 3u);
  EXPECT_FALSE(opened.result.faulty);
}

TEST(Peeler, a_wrong_checksum_drops_the_packet) {
  Opened opened;
  std::array<std::byte, crc_header_bytes> header;
  const ByteVector message = user(30);
  fill_crc_header(header, message);
  ByteVector packet(header.begin(), header.end());
  std::ranges::copy(message, std::back_inserter(packet));
  opened.peel(packet, {});
  EXPECT_EQ(opened.result.parts, 1u);
  for (std::size_t i = 1; i < packet.size(); ++i) {
    ByteVector bad = packet;
    bad[i] ^= std::byte{4};
    opened.peel(bad, {});
    EXPECT_EQ(opened.result.parts, 0u);
    EXPECT_EQ(opened.result.fault.fault, WireFault::mismatch);
  }
}

ByteVector wrapped_times(ByteVector message, int layers) {
  for (int i = 0; i < layers; ++i) message = test::deflate(message);
  return message;
}

TEST(Peeler, nesting_is_bounded) {
  Opened opened;
  opened.peel(wrapped_times(user(10), 8), {});
  EXPECT_EQ(opened.result.parts, 1u);
  EXPECT_FALSE(opened.result.faulty);
  opened.peel(wrapped_times(user(10), 9), {});
  EXPECT_EQ(opened.result.parts, 0u);
  EXPECT_EQ(opened.result.fault.fault, WireFault::too_deep);

  ByteVector compounds = user(10);
  for (int i = 0; i < 9; ++i) compounds = compound_of({compounds, user(2)});
  opened.peel(compounds, {});
  EXPECT_EQ(opened.result.fault.fault, WireFault::too_deep);
  EXPECT_EQ(opened.result.parts, 8u) << "one message on each level but the deepest";
}

TEST(Peeler, bombs_stop_at_the_cap) {
  EnvelopeLimits limits;
  limits.inflated_bytes_max = 100'000;
  Opened opened(limits);
  opened.peel(test::deflate(user(100'000)), {});
  EXPECT_EQ(opened.result.parts, 1u) << "exactly the cap";
  opened.peel(test::deflate(user(100'001)), {});
  EXPECT_EQ(opened.result.parts, 0u);
  EXPECT_EQ(opened.result.fault.fault, WireFault::too_large);
  // The cap is for all layers of a datagram together.
  const ByteVector half = test::deflate(user(60'000));
  opened.peel(compound_of({half, half, user(9)}), {});
  EXPECT_EQ(opened.result.parts, 2u);
  EXPECT_EQ(opened.result.fault.fault, WireFault::too_large);
  // A bomb spends what is left, so many bombs are as cheap as one.
  const ByteVector bomb = test::deflate(user(1'000'000));
  opened.peel(compound_of({bomb, half, user(9)}), {});
  EXPECT_EQ(opened.result.parts, 1u);
}

TEST(Peeler, the_list_of_parts_is_bounded) {
  EnvelopeLimits limits;
  limits.parts_max = 3;
  Opened opened(limits);
  const ByteVector five = compound_of({user(2), user(3), user(4), user(5), user(6)});
  opened.peel(five, {});
  EXPECT_EQ(opened.result.parts, 3u);
  EXPECT_EQ(opened.result.fault.fault, WireFault::too_large);
  Opened small({}, 2);
  small.peel(five, {});
  EXPECT_EQ(small.result.parts, 2u);
  EXPECT_TRUE(small.result.faulty);
}

TEST(Peeler, several_datagrams_share_the_workspace_until_it_is_full) {
  EnvelopeLimits limits;
  limits.inflated_bytes_max = 10'000;
  ByteVector workspace(Peeler::workspace_bytes(limits) + 15'000);
  Peeler peeler(limits, workspace);
  Cipher cipher{Keyring()};
  const ByteVector packet = test::deflate(user(9'000));
  std::vector<Bytes> list(10);
  std::size_t taken = 0;
  while (peeler.room_for_one()) {
    const auto result = peeler.peel(packet, {}, cipher, std::span(list).subspan(taken));
    ASSERT_EQ(result.parts, 1u);
    ++taken;
    ASSERT_LT(taken, 10u);
  }
  EXPECT_EQ(taken, 2u);
  for (std::size_t i = 0; i < taken; ++i) EXPECT_TRUE(equal(list[i], user(9'000)));
  peeler.reset();
  EXPECT_TRUE(peeler.room_for_one());

  std::array<std::byte, 100> tiny;
  Peeler cramped(limits, tiny);
  EXPECT_FALSE(cramped.room_for_one());
  EXPECT_EQ(cramped.peel(packet, {}, cipher, list).fault.fault, WireFault::no_space);
  Cipher keyed(ring_of(1));
  EnvelopePolicy lax;
  lax.verify_incoming = false;
  EXPECT_EQ(cramped.peel(ByteVector(200), lax, keyed, list).fault.fault, WireFault::no_space)
      << "our own lack of room must not turn ciphertext into plaintext";
}

TEST(Peeler, hostile_compress_bodies_are_faults) {
  Opened opened;
  for (const char* hex : {
           "09",                                    // no body
           "0980",                                  // no Buf
           "0981a3427566c0",                        // nil Buf
           "0982a4416c676f01a3427566a3000302",      // another algorithm
           "0982a4416c676f00a3427566dbffffffff00",  // a length that is a lie
           "0982a4416c676f00a342756605",            // a number as Buf
           "0982a4416c676f00a3427566a3ffffff",      // a bad code
           "09dfffffffff",                          // pairs that are not there
           "0992c1c1",
       }) {
    opened.peel(from_hex(hex), {});
    EXPECT_TRUE(opened.result.faulty) << hex;
    EXPECT_EQ(opened.result.parts, 0u) << hex;
  }
}

TEST(Peeler, allocates_nothing) {
  Opened opened;
  Cipher cipher(ring_of(1));
  const auto wrapper = std::make_unique<Wrapper>();
  ByteVector out(2000);
  const ByteVector message = compound_of({user(300), user(400)});
  std::vector<Bytes> list(16);
  const EnvelopePolicy policy;
  const test::AllocationCounter allocations;
  for (int i = 0; i < 10; ++i) {
    const std::size_t size = wrapper->datagram(message, true, policy, cipher, Nonce{}, out);
    opened.peeler().reset();
    const auto result = opened.peeler().peel(Bytes(out).first(size), policy, cipher, list);
    ASSERT_EQ(result.parts, 2u);
  }
  EXPECT_EQ(allocations.count(), 0u);
}

}  // namespace
}  // namespace starling
