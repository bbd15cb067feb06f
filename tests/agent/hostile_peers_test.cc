// What has crashed Go's memberlist or Serf, one case each (protocol/memberlist section 21,
// protocol/serf sections 5 to 7): an engine takes it, goes on answering, counts it, and has a line
// for the log that an operator sees.
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "agent/trace_log.h"
#include "tests/support/lone_node.h"
#include "tests/support/node_talk.h"
#include "wire/aead.h"
#include "wire/envelope.h"

namespace starling::test {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

// ---- msgpack as a peer writes it, right or wrong ----

std::string text(std::string_view value) {
  std::string out;
  if (value.size() < 32) {
    out += static_cast<char>(0xa0 | value.size());
  } else {
    out += '\xda';
    out += static_cast<char>(value.size() >> 8);
    out += static_cast<char>(value.size());
  }
  return out.append(value);
}
std::string number(std::uint8_t code, std::uint64_t value, int bytes) {
  std::string out(1, static_cast<char>(code));
  for (int i = bytes; i-- > 0;) out += static_cast<char>(value >> (8 * i));
  return out;
}
std::string u64(std::uint64_t value) {
  return number(0xcf, value, 8);
}
std::string i64(std::int64_t value) {
  return number(0xd3, static_cast<std::uint64_t>(value), 8);
}
const std::string nil("\xc0"), yes("\xc3"), no("\xc2");

using Fields = std::vector<std::pair<std::string_view, std::string>>;
std::string map(const Fields& fields) {
  std::string out(1, static_cast<char>(0x80 | fields.size()));
  for (const auto& [key, value] : fields) out += text(key) + value;
  return out;
}
std::string message(MessageType type, const std::string& body) {
  return std::string(1, static_cast<char>(type)) + body;
}
std::string serf(SerfType type, const std::string& body) {
  return message(MessageType::user, std::string(1, static_cast<char>(type)) + body);
}

const std::string address("\x7f\x00\x00\x02", 4);

std::string alive(const std::string& versions, std::string_view name = "x",
                  const std::string& where = address, const std::string& meta = "") {
  return message(MessageType::alive, map({{"Addr", text(where)},
                                          {"Incarnation", u64(1)},
                                          {"Meta", text(meta)},
                                          {"Node", text(name)},
                                          {"Port", u64(7946)},
                                          {"Vsn", versions}}));
}
const std::string good_versions = text("\x01\x05\x02\x02\x05\x04"s);

std::string query(const std::string& filters, const std::string& timeout = i64(1'000'000'000)) {
  return serf(SerfType::query, map({{"Addr", text(address)},
                                    {"Filters", filters},
                                    {"Flags", u64(1)},
                                    {"ID", u64(7)},
                                    {"LTime", u64(3)},
                                    {"Name", text("load")},
                                    {"Payload", nil},
                                    {"Port", u64(7946)},
                                    {"RelayFactor", u64(0)},
                                    {"SourceNode", text("x")},
                                    {"Timeout", timeout}}));
}

std::string push_pull(const std::string& nodes, const std::string& user_state,
                      const std::string& rest = "") {
  return message(MessageType::push_pull,
                 map({{"Join", no}, {"Nodes", nodes}, {"UserStateLen", user_state}}) + rest);
}
std::string state(const std::string& versions, const std::string& status = u64(0)) {
  return map({{"Addr", text(address)},
              {"Incarnation", u64(1)},
              {"Meta", text("")},
              {"Name", text("x")},
              {"Port", u64(7946)},
              {"State", status},
              {"Vsn", versions}});
}
std::string compressed(const std::string& body) {
  return message(MessageType::compress, map({{"Algo", u64(0)}, {"Buf", text(body)}}));
}
const std::string lzw_of_nothing("\x00\x03\x02", 3);

// ---- the node, and what it made of a case ----

struct Heard {
  std::uint64_t counted = 0;  // refused packets, messages, streams and states
  std::vector<agent::TraceLine> lines;

  bool says_so() const {
    return std::ranges::any_of(
        lines, [](const auto& line) { return line.level >= agent::LogLevel::warn; });
  }
};

std::uint64_t refused(LoneNode& node) {
  const Counters& c = node.stats().counters;
  return c.packets_dropped + c.messages_dropped + c.streams_failed + c.push_pulls_refused +
         c.query_answers_stray;
}

const ByteVector ping = from_hex("0082a44e6f6465a26d65a55365714e6f01");

bool answers(LoneNode& node, const std::function<ByteVector(Bytes)>& wrap) {
  node.take_packets();
  node.receive(wrap(ping));
  return node.take_messages(MessageType::ack).size() == 1;
}

Heard heard_after(LoneNode& node, const std::function<void()>& attack) {
  node.take_events();
  const std::uint64_t before = refused(node);
  attack();
  Heard heard;
  for (const KeptEvent& kept : node.take_events()) {
    if (kept.event.kind != Event::Kind::trace) continue;
    heard.lines.push_back(agent::trace_line(kept.event, "me"));
  }
  heard.counted = refused(node) - before;
  return heard;
}

// Plays a peer that dials, sends all of it in pieces, and closes.
void stream(LoneNode& node, std::string_view bytes) {
  static std::uint32_t last = 0;
  const StreamId id{stream_accepted_bit | ++last};
  const Endpoint dialler{IpAddress::v4(127, 0, 0, 9), 40000};
  const auto event = [&](StreamEvent::Kind kind, Bytes part) {
    node.stream_event({.kind = kind, .stream = id, .peer = dialler, .bytes = part});
  };
  event(StreamEvent::Kind::accepted, {});
  while (!bytes.empty()) {
    const std::size_t count = std::min<std::size_t>(bytes.size(), 7);
    event(StreamEvent::Kind::readable, as_bytes(bytes.substr(0, count)));
    bytes.remove_prefix(count);
  }
  event(StreamEvent::Kind::closed, {});
  event(StreamEvent::Kind::written, {});  // of an answer, if there was one
}

struct Case {
  std::string_view name;
  std::string bytes;
};

void expect_survived(LoneNode& node, const Case& one, const Heard& heard,
                     const std::function<ByteVector(Bytes)>& wrap) {
  EXPECT_GE(heard.counted, 1u) << one.name << " is not counted";
  EXPECT_TRUE(heard.says_so()) << one.name << " is not in the log";
  EXPECT_TRUE(answers(node, wrap)) << one.name << " silenced the node";
}

ByteVector plain(Bytes bytes) {
  return to_vector(bytes);
}

std::string many(std::size_t count, char byte) {
  return std::string(count, byte);
}

TEST(HostilePeers, Datagrams) {
  std::string deep = "\x07\x01\x00\x02\x55\x55"s;
  for (int i = 0; i < 30; ++i) {
    deep =
        "\x07\x01"s + static_cast<char>(deep.size() >> 8) + static_cast<char>(deep.size()) + deep;
  }
  const std::vector<Case> cases{
      {"an empty datagram", ""},
      {"a compound without a count", "\x07"},
      {"an empty part", "\x07\x01\x00\x00"s},
      {"128 parts without a table", "\x07\x80"},
      {"255 parts and a short table", "\x07\xff" + many(100, '\x00')},
      {"255 empty parts", "\x07\xff" + many(510, '\x00')},
      {"a part that is longer than the packet", "\x07\x01\xff\xff\x00"s},
      {"compounds in compounds", deep},
      {"nothing, compressed", compressed(lzw_of_nothing)},
      {"nothing instead of compressed bytes",
       message(MessageType::compress, map({{"Algo", u64(0)}, {"Buf", nil}}))},
      {"compressed bytes without an end", compressed("\x00\x03"s)},
      {"another compression",
       message(MessageType::compress, map({{"Algo", u64(1)}, {"Buf", text(lzw_of_nothing)}}))},
      {"a checksum of nothing", "\x0c"},
      {"a checksum without a message", "\x0c\x00\x00\x00\x00"s},
      {"a stream's message", push_pull(u64(1), u64(0))},
      {"an alive with an address of three bytes", alive(good_versions, "x", "\x7f\x00\x00"s)},
      {"an alive with a name of 300 bytes", alive(good_versions, many(300, 'n'))},
      {"an alive with metadata of 600 bytes", alive(good_versions, "x", address, many(600, 'm'))},
      {"an empty user message", "\x08"},
      {"an unknown user message", "\x08\x63"},
      {"a query with an empty filter", query("\x91\xa0")},
      {"a query with a filter that is a number", query("\x91\x05")},
      {"a query whose time-out is beyond 64 bits", query("\x90", u64(~0ULL))},
      {"a query of nothing", "\x08\x04"s},
      {"a relay of nothing", "\x08\x09"s},
      {"a relay without a message", serf(SerfType::relay, map({{"DestAddr", nil}}))},
      {"a key request outside a query", serf(SerfType::key_request, "")},
      {"a conflict response outside a query", serf(SerfType::conflict_response, "")},
      {"an array of four billion", "\x03\xdd\xff\xff\xff\xff"s},
      {"a map of four billion", "\x04\xdf\xff\xff\xff\xff"s},
      {"a text of four gigabytes", "\x04\x81\xa4Node\xdb\xff\xff\xff\xff"s},
      {"arrays in arrays", "\x04" + many(1000, '\x91')},
  };
  for (const Case& one : cases) {
    LoneNode node = quiet_node();
    const Heard heard = heard_after(node, [&] { node.receive(as_bytes(one.bytes)); });
    if (one.name == "a query with an empty filter") {
      // Nobody it is for; a broken expression is no broken message, and passes on.
      EXPECT_TRUE(answers(node, plain));
      continue;
    }
    expect_survived(node, one, heard, plain);
    EXPECT_EQ(node.stats().nodes, 1u) << one.name;
  }
}

// Go 0.2.2 ends with a panic on any vector of one to five bytes.
TEST(HostilePeers, ShortVersions) {
  for (std::size_t bytes = 0; bytes < 6; ++bytes) {
    LoneNode node = quiet_node();
    const Heard one =
        heard_after(node, [&] { node.receive(as_bytes(alive(text(many(bytes, '\x01'))))); });
    EXPECT_TRUE(one.says_so()) << bytes;
    EXPECT_TRUE(answers(node, plain));
    const Heard two = heard_after(
        node, [&] { stream(node, push_pull(u64(1), u64(0), state(text(many(bytes, '\x01'))))); });
    EXPECT_GE(two.counted, 1u) << bytes;
    EXPECT_TRUE(two.says_so()) << bytes;
    EXPECT_TRUE(answers(node, plain));
    EXPECT_EQ(node.stats().nodes, 1u);
  }
}

TEST(HostilePeers, Streams) {
  const std::vector<Case> cases{
      {"an unknown message", "\x63"},
      {"a negative number of nodes", push_pull(i64(-1), u64(0))},
      {"two billion nodes", push_pull(u64(1ULL << 31), u64(0))},
      {"all the nodes there can be", push_pull(u64(~0ULL), u64(0))},
      {"a negative user state", push_pull(u64(0), i64(-1))},
      {"a user state of two gigabytes", push_pull(u64(0), u64(1ULL << 31))},
      {"a node that is a number", push_pull(u64(1), u64(0), "\x05")},
      {"a state that ends early", push_pull(u64(2), u64(0), state(good_versions))},
      {"a header that ends early", push_pull(u64(1), u64(0)).substr(0, 9)},
      {"nothing, compressed", compressed(lzw_of_nothing)},
      {"a user message of minus one byte",
       message(MessageType::user, map({{"UserMsgLen", i64(-1)}}))},
      {"a user message of two gigabytes",
       message(MessageType::user, map({{"UserMsgLen", u64(1ULL << 31)}}))},
      {"an encrypted frame without a key", "\x0a\x00\x00\x00\x40"s + many(64, 'x')},
      {"a label that ends early",
       "\xf4\x05"
       "ab"s},
      {"a label of no bytes", "\xf4\x00"s},
      {"a label that is not ours",
       "\xf4\x02"
       "ab"s +
           push_pull(u64(0), u64(0))},
      {"arrays in arrays", "\x06" + many(10'000, '\x91')},
      {"a text of four gigabytes", "\x06\x81\xdb\xff\xff\xff\xff"s + many(100'000, 'x')},
  };
  for (const Case& one : cases) {
    LoneNode node = quiet_node();
    const Heard heard = heard_after(node, [&] { stream(node, one.bytes); });
    expect_survived(node, one, heard, plain);
    EXPECT_EQ(node.stats().streams, 0u) << one.name << " keeps its session";
  }
}

// A state of an unknown number is passed over.
TEST(HostilePeers, UnknownStates) {
  LoneNode node = quiet_node();
  heard_after(node, [&] {
    stream(node, push_pull(u64(2), u64(0),
                           state(good_versions, u64(4)) + state(good_versions, u64(255))));
  });
  EXPECT_TRUE(answers(node, plain));
  EXPECT_EQ(node.stats().nodes, 1u);
  EXPECT_EQ(node.stats().streams, 0u);
}

// What only somebody with the key can send.
TEST(HostilePeers, KeyHolders) {
  const AesKey key = *AesKey::from(to_vector("0123456789abcdef"));
  EngineOptions options = LoneNode::options_named("me");
  ASSERT_TRUE(options.keyring.add(key));
  Cipher cipher(options.keyring);
  const auto sealed = [&](Bytes inner, Bytes associated = {}) {
    ByteVector out(Cipher::sealed_size(1, inner.size()));
    EXPECT_EQ(cipher.seal(1, Nonce{}, associated, inner, out), out.size());
    return out;
  };
  const auto wrap = [&](Bytes inner) { return sealed(inner); };
  // Version 0 pads; the version is not authenticated, so any padding can be written.
  const auto padded = [&](char last) {
    ByteVector out = sealed(as_bytes(many(15, 'A') + last));
    out[0] = std::byte{0};
    return out;
  };
  const auto framed = [&](Bytes inner) {
    const FrameHeader header(static_cast<std::uint32_t>(Cipher::sealed_size(1, inner.size())), "");
    const ByteVector body = sealed(inner, header.associated());
    return std::string(as_text(header.bytes())) + std::string(as_text(body));
  };
  const auto text_of = [](const ByteVector& bytes) { return std::string(as_text(bytes)); };

  const std::vector<Case> datagrams{
      {"padding longer than the text", text_of(padded('\xff'))},
      {"padding of no bytes", text_of(padded('\x00'))},
      {"an encrypted nothing", text_of(sealed({}))},
      {"half a tag", text_of(sealed(ping)).substr(0, 30)},
      {"a version that is none", "\x02" + text_of(sealed(ping)).substr(1)},
      {"plaintext", text_of(ping)},
  };
  for (const Case& one : datagrams) {
    LoneNode node(options);
    const Heard heard = heard_after(node, [&] { node.receive(as_bytes(one.bytes)); });
    expect_survived(node, one, heard, wrap);
  }
  const std::vector<Case> streams{
      {"an encrypted nothing", framed({})},
      {"an encrypted nothing, compressed", framed(as_bytes(compressed(lzw_of_nothing)))},
      {"a frame of four gigabytes", "\x0a\xff\xff\xff\xff" + many(1000, 'x')},
      {"a frame of no bytes", "\x0a\x00\x00\x00\x00"s},
      {"a frame that ends early", framed(ping).substr(0, 20)},
      {"another key's frame", "\x0a\x00\x00\x00\x40\x01"s + many(63, 'x')},
      {"plaintext", push_pull(u64(0), u64(0))},
  };
  for (const Case& one : streams) {
    LoneNode node(options);
    const Heard heard = heard_after(node, [&] { stream(node, one.bytes); });
    expect_survived(node, one, heard, wrap);
    EXPECT_EQ(node.stats().streams, 0u) << one.name << " keeps its session";
  }
}

// Streams that ask for nothing hold their sessions for ten seconds, but not against those that ask.
TEST(HostilePeers, SilentStreamsMakeRoom) {
  EngineOptions options = LoneNode::options_named("me");
  options.capacity.streams_max = 16;
  LoneNode node(options);
  const std::uint32_t most = node.options().capacity.streams_max;
  const Endpoint dialler{IpAddress::v4(127, 0, 0, 9), 40000};
  const auto silent = [&](std::uint32_t number) {
    node.stream_event({.kind = StreamEvent::Kind::accepted,
                       .stream = StreamId{stream_accepted_bit | (1'000'000 + number)},
                       .peer = dialler,
                       .bytes = {}});
  };
  for (std::uint32_t i = 0; i < most; ++i) silent(i);
  EXPECT_EQ(node.stats().counters.streams_refused, 0u);
  silent(most);
  EXPECT_EQ(node.stats().counters.streams_refused, 1u) << "all of them came just now";
  node.advance(2s);
  const std::uint64_t served = node.stats().counters.push_pulls_served;
  for (int i = 0; i < 4; ++i) stream(node, push_pull(u64(0), u64(0)));
  EXPECT_EQ(node.stats().counters.push_pulls_served, served + 4);
  EXPECT_LE(node.stats().streams, most);
  node.advance(8s + 1ms);
  EXPECT_EQ(node.stats().streams, 0u);
  for (std::uint32_t i = 0; i < most; ++i) silent(100 + i);
  node.advance(2s);
  EXPECT_LT(node.stats().streams, most) << "the last ones have gone although nobody came";
  const Heard heard = heard_after(node, [&] {
    for (std::uint32_t i = 1; i <= 4; ++i) silent(most + i);
  });
  EXPECT_EQ(node.stats().counters.streams_refused, 1u);
  EXPECT_TRUE(heard.counted > 0 && heard.says_so());
}

// Numbers at the end of their range must not wrap into small ones.
TEST(HostilePeers, TheEndOfTime) {
  LoneNode node = quiet_node();
  for (const std::uint64_t time : {~0ULL, ~0ULL - 1}) {
    node.receive(as_bytes(serf(SerfType::join, map({{"LTime", u64(time)}, {"Node", text("x")}}))));
    node.receive(as_bytes(
        serf(SerfType::user_event,
             map({{"CC", yes}, {"LTime", u64(time)}, {"Name", text("e")}, {"Payload", nil}}))));
    node.receive(as_bytes(serf(SerfType::query, map({{"Addr", text(address)},
                                                     {"Filters", "\x90"},
                                                     {"Flags", u64(0)},
                                                     {"ID", u64(7)},
                                                     {"LTime", u64(time)},
                                                     {"Name", text("load")},
                                                     {"Payload", nil},
                                                     {"Port", u64(7946)},
                                                     {"RelayFactor", u64(255)},
                                                     {"SourceNode", text("x")},
                                                     {"Timeout", i64(INT64_MAX)}}))));
  }
  const Stats stats = node.stats();
  EXPECT_GE(stats.member_time, ~0ULL - 1);
  EXPECT_GE(stats.event_time, ~0ULL - 1);
  EXPECT_GE(stats.query_time, ~0ULL - 1);
  node.advance(5s);
  EXPECT_TRUE(answers(node, plain));
}

TEST(HostilePeers, TheLastIncarnation) {
  LoneNode node = quiet_node();
  const auto accuse = [&](MessageType type) {
    node.receive(as_bytes(message(
        type, map({{"From", text("x")}, {"Incarnation", u64(0xffffffff)}, {"Node", text("me")}}))));
  };
  accuse(MessageType::suspect);
  accuse(MessageType::dead);
  EXPECT_GE(node.stats().incarnation, 2u) << "an accusation moves it on, whatever it says";
  EXPECT_TRUE(answers(node, plain));
  node.advance(2s);
  EXPECT_TRUE(answers(node, plain));
}

}  // namespace
}  // namespace starling::test
