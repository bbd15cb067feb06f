#include "wire/push_pull.h"

#include <gtest/gtest.h>

#include <optional>
#include <random>

#include "tests/support/alloc_counter.h"
#include "tests/support/vectors.h"

namespace starling {
namespace {

using test::ByteVector;
using Progress = PushPullReader::Progress;

// Everything that a reader reported, as text.
struct Recorder {
  std::string text;
  std::size_t refuse_node = SIZE_MAX;
  std::size_t nodes = 0;
  bool refuse_header = false;
  bool refuse_state = false;

  bool on_header(const PushPullHeader& header) {
    text += "header " + std::to_string(header.nodes) + " " +
            std::to_string(header.user_state_bytes) + (header.join ? " join\n" : "\n");
    return !refuse_header;
  }
  bool on_node(const NodeState& node) {
    text += "node " + std::string(node.name) + " " + test::to_hex(node.address) + " " +
            std::to_string(node.port) + " " + test::to_hex(node.meta) + " " +
            std::to_string(to_number(node.incarnation)) + " " + std::to_string(node.state) + " " +
            test::to_hex(node.versions) + "\n";
    return nodes++ != refuse_node;
  }
  bool on_user_state(Bytes part) {
    text += test::to_hex(part);
    return !refuse_state;
  }
};

ByteVector example(const PushPullHeader& header, std::string_view user_state) {
  ByteVector room(4096);
  Writer out(room);
  encode(header, out, SignedStyle::signed_form);
  const ByteVector address = test::from_hex("0a000001");
  const auto versions = encode_versions({});
  for (std::int64_t i = 0; i < header.nodes; ++i) {
    const std::string name(static_cast<std::size_t>(20 * i + 1), 'n');
    encode(NodeState{.name = name,
                     .address = address,
                     .port = 7946,
                     .meta = as_bytes(name),
                     .incarnation = Incarnation{300},
                     .state = i,
                     .versions = versions},
           out);
  }
  out.put(as_bytes(user_state));
  EXPECT_TRUE(out.ok());
  return test::to_vector(out.written().subspan(1));
}

Decoded<Progress> feed_all(Bytes body, std::size_t chunk_bytes, Recorder& recorder,
                           const PushPullLimits& limits = {}, std::size_t carry_bytes = 1024) {
  ByteVector carry(carry_bytes);
  PushPullReader reader(limits, carry);
  Decoded<Progress> progress = Progress::more;
  for (std::size_t at = 0; at < body.size() && progress && *progress == Progress::more;
       at += chunk_bytes) {
    // A copy of its own: views must not outlive the chunk, and reads must not leave it.
    const ByteVector chunk =
        test::to_vector(body.subspan(at, std::min(chunk_bytes, body.size() - at)));
    progress = reader.feed(chunk, recorder);
  }
  return progress;
}

TEST(PushPull, EveryChunkSizeGivesTheSame) {
  const ByteVector body =
      example({.nodes = 4, .user_state_bytes = 200, .join = true}, std::string(200, 'u'));
  Recorder whole;
  EXPECT_EQ(feed_all(body, body.size(), whole), Progress::done);
  EXPECT_TRUE(whole.text.starts_with("header 4 200 join\nnode n 0a000001 7946 6e 300 0 010502"));
  EXPECT_TRUE(whole.text.ends_with("7575"));
  for (std::size_t chunk_bytes = 1; chunk_bytes < body.size(); ++chunk_bytes) {
    Recorder pieces;
    EXPECT_EQ(feed_all(body, chunk_bytes, pieces), Progress::done);
    ASSERT_EQ(pieces.text, whole.text) << chunk_bytes;
  }
}

TEST(PushPull, EverySplitGivesTheSame) {
  const ByteVector body = example({.nodes = 2, .user_state_bytes = 3, .join = false}, "abc");
  Recorder whole;
  EXPECT_EQ(feed_all(body, body.size(), whole), Progress::done);
  for (std::size_t split = 0; split <= body.size(); ++split) {
    ByteVector carry(256);
    PushPullReader reader({}, carry);
    Recorder pieces;
    EXPECT_EQ(reader.feed(Bytes(body).first(split), pieces),
              split == body.size() ? Progress::done : Progress::more);
    EXPECT_EQ(reader.feed(Bytes(body).subspan(split), pieces), Progress::done);
    ASSERT_EQ(pieces.text, whole.text) << split;
    EXPECT_EQ(reader.nodes_read(), 2);
  }
}

TEST(PushPull, EmptyListsAndSurplusAreFine) {
  Recorder recorder;
  ByteVector body = example({.nodes = 0, .user_state_bytes = 0, .join = true}, "");
  EXPECT_EQ(feed_all(body, 1, recorder), Progress::done);
  body.push_back(std::byte{0xc1});
  EXPECT_EQ(feed_all(body, body.size(), recorder), Progress::done);
  EXPECT_EQ(recorder.text, "header 0 0 join\nheader 0 0 join\n");
}

TEST(PushPull, AShortBodyIsNotDone) {
  const ByteVector body = example({.nodes = 2, .user_state_bytes = 3, .join = false}, "abc");
  Recorder recorder;
  EXPECT_EQ(feed_all(Bytes(body).first(body.size() - 1), 100'000, recorder), Progress::more);
}

// The fault of a whole body, which must not depend on the chunks.
WireError fault_of(const ByteVector& body, const PushPullLimits& limits = {},
                   std::size_t carry_bytes = 1024) {
  std::optional<WireError> first;
  for (const std::size_t chunk_bytes : {body.size(), std::size_t{1}, std::size_t{7}}) {
    Recorder recorder;
    const auto progress = feed_all(body, chunk_bytes, recorder, limits, carry_bytes);
    EXPECT_FALSE(progress);
    if (progress) return {};
    if (!first) first = progress.error();
    EXPECT_EQ(progress.error().fault, first->fault);
  }
  return *first;
}

TEST(PushPull, CountsBeyondTheLimitsAreRefused) {
  EXPECT_STREQ(fault_of(example({.nodes = -1, .user_state_bytes = 0}, "")).field, "Nodes");
  EXPECT_STREQ(fault_of(example({.nodes = 0, .user_state_bytes = -1}, "")).field, "UserStateLen");
  EXPECT_EQ(fault_of(example({.nodes = 0, .user_state_bytes = INT64_MAX}, "")).fault,
            WireFault::out_of_range);
  const PushPullLimits limits{.nodes_max = 2, .user_state_bytes_max = 3};
  EXPECT_EQ(fault_of(example({.nodes = 3, .user_state_bytes = 0}, ""), limits).fault,
            WireFault::out_of_range);
  EXPECT_EQ(fault_of(example({.nodes = 0, .user_state_bytes = 4}, "abcd"), limits).fault,
            WireFault::out_of_range);
  Recorder recorder;
  EXPECT_EQ(feed_all(example({.nodes = 2, .user_state_bytes = 3}, "abc"), 9, recorder, limits),
            Progress::done);
}

TEST(PushPull, ItemsBeyondTheLimitAreRefused) {
  const ByteVector body = example({.nodes = 3, .user_state_bytes = 0}, "");
  const PushPullLimits limits{.item_bytes_max = 100};
  EXPECT_EQ(fault_of(body, limits).fault, WireFault::too_large);
  EXPECT_EQ(fault_of(body, {}, 100).fault, WireFault::too_large);
}

TEST(PushPull, WrongItemsAreRefusedAndStayRefused) {
  const ByteVector wrong =
      test::from_hex("83a54e6f64657301ac5573657253746174654c656e00a44a6f696e05");
  EXPECT_EQ(fault_of(wrong).fault, WireFault::wrong_type);
  EXPECT_EQ(fault_of(test::from_hex("c1")).fault, WireFault::malformed);
  EXPECT_EQ(fault_of(test::from_hex("9301000005")).layer, std::string_view("node state"));
  ByteVector carry(64);
  PushPullReader reader({}, carry);
  Recorder recorder;
  ASSERT_FALSE(reader.feed(wrong, recorder));
  ASSERT_FALSE(reader.feed(test::from_hex("93000000"), recorder));
  EXPECT_EQ(recorder.text, "");
}

TEST(PushPull, ASinkMayRefuse) {
  const ByteVector body = example({.nodes = 2, .user_state_bytes = 3}, "abc");
  Recorder header;
  header.refuse_header = true;
  EXPECT_EQ(feed_all(body, 5, header), Progress::refused);
  EXPECT_EQ(header.nodes, 0u);
  Recorder node;
  node.refuse_node = 0;
  EXPECT_EQ(feed_all(body, 5, node), Progress::refused);
  EXPECT_EQ(node.nodes, 1u);
  Recorder state;
  state.refuse_state = true;
  EXPECT_EQ(feed_all(body, body.size(), state), Progress::refused);
}

TEST(PushPull, UserHeadersInBothStyles) {
  std::array<std::byte, 32> room;
  for (const SignedStyle style : {SignedStyle::unsigned_form, SignedStyle::signed_form}) {
    Writer out(room);
    encode(UserHeader{.bytes = 300}, out, style);
    std::size_t used = 0;
    const auto header = decode_user_header(out.written().subspan(1), used);
    ASSERT_TRUE(header);
    EXPECT_EQ(header->bytes, 300);
    EXPECT_EQ(used, out.size() - 1);
  }
}

// Counts and checks nodes as they come, keeping none.
struct Counter {
  std::int64_t nodes = 0;
  std::int64_t wrong = 0;
  std::int64_t user_state_bytes = 0;
  bool on_header(const PushPullHeader&) { return true; }
  bool on_node(const NodeState& node) {
    wrong += to_number(node.incarnation) != static_cast<std::uint32_t>(nodes);
    wrong += node.name.size() != 11 || node.address.size() != 4 || node.versions.size() != 6;
    ++nodes;
    return true;
  }
  bool on_user_state(Bytes part) {
    user_state_bytes += static_cast<std::int64_t>(part.size());
    return true;
  }
};

TEST(PushPull, AMillionNodesPassThroughSmallMemory) {
  constexpr std::int64_t nodes = 1'000'000;
  constexpr std::int64_t user_state_bytes = 100'000;
  ByteVector carry(65'536);
  ByteVector sent(65'536);
  std::mt19937 generator(1);
  PushPullReader reader({}, carry);
  Counter counter;
  const ByteVector address = test::from_hex("0a000001");
  const auto versions = encode_versions({});
  const ByteVector user_state(static_cast<std::size_t>(user_state_bytes), std::byte{'u'});

  const test::AllocationCounter allocations;
  Writer out(sent);
  bool failed = false;
  // Hands over what is written, in pieces of odd sizes; they end inside items all the time.
  const auto flush = [&](std::size_t skipped) {
    Bytes written = out.written().subspan(skipped);
    while (!written.empty()) {
      const std::size_t bytes = std::min<std::size_t>(generator() % 9001 + 1, written.size());
      failed |= !reader.feed(written.first(bytes), counter);
      written = written.subspan(bytes);
    }
    out.rewind(0);
  };
  encode(PushPullHeader{.nodes = nodes, .user_state_bytes = user_state_bytes, .join = false}, out,
         SignedStyle::signed_form);
  flush(1);  // without the type byte
  std::array<char, 12> name{"node-000000"};
  for (std::int64_t i = 0; i < nodes; ++i) {
    std::int64_t digits = i;
    for (std::size_t at = 10; at > 4; --at, digits /= 10) {
      name[at] = static_cast<char>('0' + digits % 10);
    }
    const NodeState node{.name = {name.data(), 11},
                         .address = address,
                         .port = 7946,
                         .meta = {},
                         .incarnation = Incarnation{static_cast<std::uint32_t>(i)},
                         .state = i % 4,
                         .versions = versions};
    const std::size_t before = out.size();
    encode(node, out);
    if (!out.ok()) {
      out.rewind(before);
      flush(0);
      encode(node, out);
    }
  }
  flush(0);
  for (std::size_t at = 0; at < user_state.size(); at += 50'000) {
    out.put(Bytes(user_state).subspan(at, 50'000));
    flush(0);
  }
  EXPECT_EQ(allocations.count(), 0u);
  EXPECT_FALSE(failed);
  EXPECT_EQ(reader.feed({}, counter), Progress::done);
  EXPECT_EQ(counter.nodes, nodes);
  EXPECT_EQ(counter.wrong, 0);
  EXPECT_EQ(counter.user_state_bytes, user_state_bytes);
}

// Remembers what it was told to expect; refuses the node after `nodes_max`.
struct Expecting {
  std::int64_t nodes_max = 0;
  std::vector<std::string> expected;
  std::vector<std::string> given;
  bool on_header(const PushPullHeader&) { return true; }
  void expect_nodes(std::span<const NodeState> nodes) {
    EXPECT_LE(nodes.size(), nodes_ahead_max);
    EXPECT_EQ(expected.size(), given.size()) << "all that was expected comes first";
    for (const NodeState& node : nodes) expected.emplace_back(node.name);
  }
  bool on_node(const NodeState& node) {
    given.emplace_back(node.name);
    // A node that a boundary splits comes without notice.
    if (expected.size() < given.size()) expected.push_back(given.back());
    EXPECT_EQ(expected.at(given.size() - 1), given.back());
    return static_cast<std::int64_t>(given.size()) <= nodes_max;
  }
  bool on_user_state(Bytes) { return true; }
};

TEST(PushPull, NodesComeAsExpectedWhateverThePieces) {
  constexpr std::int64_t nodes = 50;
  std::array<std::byte, 8192> room;
  Writer out(room);
  encode(PushPullHeader{.nodes = nodes}, out, SignedStyle::signed_form);
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < nodes; ++i) {
    names.push_back("node-" + std::to_string(i));
    encode(NodeState{.name = names.back(), .address = {}, .meta = {}, .versions = {}}, out);
  }
  ASSERT_TRUE(out.ok());
  const Bytes stream = out.written().subspan(1);
  for (const std::int64_t nodes_max : {nodes, std::int64_t{20}}) {
    for (std::size_t piece = 1; piece <= stream.size(); piece += piece < 200 ? 1 : 97) {
      std::array<std::byte, 256> carry;
      PushPullReader reader({}, carry);
      Expecting sink{.nodes_max = nodes_max, .expected = {}, .given = {}};
      Decoded<PushPullReader::Progress> progress = PushPullReader::Progress::more;
      for (std::size_t at = 0; at < stream.size(); at += piece) {
        progress = reader.feed(stream.subspan(at, std::min(piece, stream.size() - at)), sink);
      }
      ASSERT_TRUE(progress);
      const bool refused = nodes_max < nodes;
      EXPECT_EQ(*progress,
                refused ? PushPullReader::Progress::refused : PushPullReader::Progress::done);
      EXPECT_EQ(sink.given.size(), static_cast<std::size_t>(refused ? nodes_max + 1 : nodes));
      EXPECT_EQ(reader.nodes_read(), static_cast<std::int64_t>(sink.given.size()));
      names.resize(nodes);
      EXPECT_TRUE(std::equal(sink.given.begin(), sink.given.end(), names.begin()));
    }
  }
}

}  // namespace
}  // namespace starling
