// Keys come and go in a running engine, of one lane and of several.
#include "core/shard/rekey.h"

#include <gtest/gtest.h>

#include "tests/support/laned_node.h"
#include "tests/support/node_talk.h"

namespace starling::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

ByteVector raw_key(std::uint8_t fill, std::size_t size = 16) {
  return ByteVector(size, std::byte{fill});
}
Keyring ring_of(std::initializer_list<AesKey> keys) {
  Keyring ring;
  for (const AesKey& key : keys) EXPECT_TRUE(ring.add(key).has_value());
  return ring;
}
const ByteVector one = raw_key(1), two = raw_key(2, 24), three = raw_key(3, 32);

EngineOptions keyed_options(std::string name = "me") {
  EngineOptions options = LoneNode::options_named(std::move(name));
  options.keyring = ring_of({*AesKey::from(one), *AesKey::from(two)});
  return options;
}

// A ping, sealed with one key.
ByteVector sealed_ping(const ByteVector& key, std::uint32_t sequence) {
  std::array<std::byte, 512> plain;
  Writer out(plain);
  encode(Ping{.sequence = SequenceNumber{sequence}, .node = {}, .source = {}, .standing = {}}, out);
  Cipher cipher(ring_of({*AesKey::from(key)}));
  ByteVector sealed(600);
  sealed.resize(cipher.seal(1, Nonce{}, {}, out.written(), sealed));
  return sealed;
}
bool opens(const ByteVector& key, const ByteVector& sealed) {
  Cipher cipher(ring_of({*AesKey::from(key)}));
  ByteVector plain(sealed.size());
  return cipher.open(sealed, {}, plain).has_value();
}

template <class AnyNode>
Done do_command(AnyNode& node, Command::Kind kind, const ByteVector& key) {
  static_cast<void>(node.take_events());
  node.command({.kind = kind, .token = 9, .payload = key});
  Done done{};
  std::size_t count = 0;
  for (const KeptEvent& kept : node.take_events()) {
    if (kept.event.kind != Event::Kind::done) continue;
    done = {kept.event.token, kept.event.result, kept.text};
    ++count;
  }
  EXPECT_EQ(count, 1u);
  return done;
}
Done done_ok() {
  return {9, CommandResult::ok, ""};
}
Done refused(std::string text) {
  return {9, CommandResult::key_refused, std::move(text)};
}

TEST(Rekey, WithoutKeysThereIsNothingToChange) {
  LoneNode node = quiet_node();
  EXPECT_EQ(do_command(node, Command::Kind::install_key, one),
            refused("No keyring to modify (encryption not enabled)"));
}

TEST(Rekey, RefusalsLeaveTheKeyringAsItIs) {
  LoneNode node(keyed_options());
  EXPECT_EQ(do_command(node, Command::Kind::install_key, raw_key(1, 15)),
            refused("key size must be 16, 24 or 32 bytes"));
  EXPECT_EQ(do_command(node, Command::Kind::use_key, three),
            refused("Requested key is not in the keyring"));
  EXPECT_EQ(do_command(node, Command::Kind::remove_key, one),
            refused("Removing the primary key is not allowed"));
  EXPECT_EQ(do_command(node, Command::Kind::remove_key, three), done_ok()) << "not there anyway";
  EXPECT_EQ(do_command(node, Command::Kind::install_key, two), done_ok()) << "there already";
  for (std::uint8_t i = 10; i < 10 + Keyring::keys_max - 2; ++i) {
    EXPECT_EQ(do_command(node, Command::Kind::install_key, raw_key(i)), done_ok());
  }
  EXPECT_EQ(do_command(node, Command::Kind::install_key, three), refused("keyring is full"));
  node.receive(sealed_ping(one, 5));
  EXPECT_EQ(node.take_packets().size(), 1u);
}

TEST(Rekey, InstallUseRemove) {
  LoneNode node(keyed_options());
  const auto answers = [&](const ByteVector& key) {
    node.take_packets();
    node.receive(sealed_ping(key, 5));
    return node.take_packets();
  };
  EXPECT_EQ(answers(three).size(), 0u);
  EXPECT_EQ(do_command(node, Command::Kind::install_key, three), done_ok());
  ASSERT_EQ(answers(three).size(), 1u);
  EXPECT_TRUE(opens(one, answers(three).front().bytes)) << "it understands, but does not use it";

  EXPECT_EQ(do_command(node, Command::Kind::use_key, two), done_ok());
  ASSERT_EQ(answers(one).size(), 1u) << "the old key is understood until it is removed";
  EXPECT_TRUE(opens(two, answers(one).front().bytes));

  EXPECT_EQ(do_command(node, Command::Kind::remove_key, one), done_ok());
  EXPECT_EQ(answers(one).size(), 0u);
  EXPECT_EQ(answers(three).size(), 1u);
  EXPECT_EQ(answers(two).size(), 1u);
}

TEST(Rekey, EveryLaneChangesBeforeTheCommandEnds) {
  for (const std::uint32_t lanes : {2u, 3u, 8u}) {
    LanedNode node(keyed_options(), lanes);
    const auto answers = [&](std::size_t lane, const ByteVector& key) {
      static_cast<void>(node.take_packets());
      node.receive(lane, sealed_ping(key, 5));
      return node.take_packets();
    };
    EXPECT_EQ(do_command(node, Command::Kind::remove_key, one),
              refused("Removing the primary key is not allowed"));
    EXPECT_EQ(do_command(node, Command::Kind::install_key, three), done_ok());
    EXPECT_EQ(do_command(node, Command::Kind::use_key, two), done_ok());
    EXPECT_EQ(do_command(node, Command::Kind::remove_key, one), done_ok());
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      EXPECT_EQ(answers(lane, one).size(), 0u) << lane;
      ASSERT_EQ(answers(lane, three).size(), 1u) << lane;
      EXPECT_TRUE(opens(two, answers(lane, three).front().bytes)) << lane;
    }
  }
}

// More rows than one portion of the new digest.
TEST(Rekey, TheDigestIsThatOfANodeWithThisKeyFromTheStart) {
  EngineOptions options = keyed_options();
  options.capacity.members_max = 8'192;
  EngineOptions other = options;
  other.keyring = ring_of({*AesKey::from(two), *AesKey::from(one)});
  const auto filled = [](const EngineOptions& from) {
    EngineOptions still = from;
    still.swim.gossip_interval = Duration::zero();
    still.swim.probe_interval = Duration::zero();
    still.swim.push_pull_interval = Duration::zero();
    still.verify_incoming = false;
    return LoneNode(still);
  };
  const auto teach = [](LoneNode& node, std::size_t first, std::size_t end, std::uint32_t inc) {
    for (std::size_t i = first; i < end; ++i) {
      const std::string name = "member-" + std::to_string(i);
      node.receive_message(Peer{.name = name, .host = 7}.alive(inc));
    }
    node.take_events();
  };
  LoneNode changing = filled(options), fixed = filled(other);
  teach(changing, 0, 5'000, 1);
  teach(fixed, 0, 5'000, 1);
  const std::uint64_t before = changing.stats().digest_root;
  EXPECT_NE(before, fixed.stats().digest_root);
  EXPECT_EQ(do_command(changing, Command::Kind::use_key, two), done_ok());
  EXPECT_LT(changing.stats().digest_count, 5'001u) << "a portion at a time";
  // Rows on both sides of the border change, and new ones come.
  for (LoneNode* node : {&changing, &fixed}) {
    teach(*node, 0, 10, 2);
    teach(*node, 4'900, 5'050, 2);
  }
  changing.advance(milliseconds(20));
  fixed.advance(milliseconds(20));
  EXPECT_EQ(changing.stats().digest_count, 5'051u);
  EXPECT_EQ(changing.stats().digest_root, fixed.stats().digest_root);
  EXPECT_EQ(do_command(changing, Command::Kind::use_key, two), done_ok());
  EXPECT_EQ(changing.stats().digest_root, fixed.stats().digest_root) << "nothing changed";
}

}  // namespace
}  // namespace starling::test
