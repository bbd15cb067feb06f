// What has crashed Go's memberlist or Serf, one case each (protocol/memberlist section 21,
// protocol/serf sections 5 to 7): an engine takes it, goes on answering, counts it, and has a line
// for the log that an operator sees; and no flood of any of it floods the log.
#include <functional>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "agent/agent.h"
#include "agent/rpc_messages.h"
#include "agent/trace_log.h"
#include "io/file.h"
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

// ---- the log: an agent under floods of everything that makes it write a line ----

std::uint16_t free_port() {
  const io::File socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in here{};
  here.sin_family = AF_INET;
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(bind(socket.descriptor(), reinterpret_cast<sockaddr*>(&here), sizeof here), 0);
  socklen_t size = sizeof here;
  getsockname(socket.descriptor(), reinterpret_cast<sockaddr*>(&here), &size);
  return ntohs(here.sin_port);
}

// A whole agent on a thread of its own, and a stranger that sends to its ports.
class LoggingAgent {
 public:
  LoggingAgent() {
    const std::vector<std::string> arguments{"-node",
                                             "me",
                                             "-bind",
                                             "127.0.0.1:" + std::to_string(gossip_port_),
                                             "-profile",
                                             "local",
                                             "-rpc-addr",
                                             "127.0.0.1:" + std::to_string(rpc_port_),
                                             "-io",
                                             "sockets",
                                             "-log-level",
                                             "trace",
                                             "-event-handler",
                                             "user:fails=false"};
    thread_ = std::thread([this, arguments] {
      auto loaded = agent::load_config(arguments);
      ASSERT_TRUE(loaded) << loaded.error().text;
      agent::Agent running(std::move(*loaded), arguments, out_);
      running.run();
    });
    for (int i = 0; i < 500 && !rpc_.open(); ++i) {
      io::File socket = dial(rpc_port_);
      if (socket.open()) rpc_ = std::move(socket);
      if (!rpc_.open()) std::this_thread::sleep_for(10ms);
    }
    EXPECT_TRUE(rpc_.open());
    ask("handshake", agent::HandshakeRequest{.version = 1});
  }
  // Lets it say what it left out, and ends it; all that it has written.
  std::string end() {
    std::this_thread::sleep_for(1500ms);
    ask("leave");
    thread_.join();
    return out_.str();
  }

  void datagram(std::string_view bytes) {
    const sockaddr_in there = address_of(gossip_port_);
    // The kernel's queue holds some hundreds; none of them is to be lost.
    if (++datagrams_ % 64 == 0) std::this_thread::sleep_for(1ms);
    static_cast<void>(sendto(udp_.descriptor(), bytes.data(), bytes.size(), 0,
                             reinterpret_cast<const sockaddr*>(&there), sizeof there));
  }
  void stream(std::string_view bytes) { talk(dial(gossip_port_), bytes); }
  void rpc_client(std::string_view bytes) { talk(dial(rpc_port_), bytes); }

  // A request, and its answer's first bytes.
  template <class... Body>
  void ask(const char* command, const Body&... body) {
    std::string bytes;
    append(bytes, agent::RequestHeader{.command = command, .sequence = ++sequence_});
    (append(bytes, body), ...);
    static_cast<void>(send(rpc_.descriptor(), bytes.data(), bytes.size(), MSG_NOSIGNAL));
    std::array<char, 65536> room;
    static_cast<void>(recv(rpc_.descriptor(), room.data(), room.size(), 0));
  }

 private:
  static sockaddr_in address_of(std::uint16_t port) {
    sockaddr_in there{};
    there.sin_family = AF_INET;
    there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    there.sin_port = htons(port);
    return there;
  }
  static io::File dial(std::uint16_t port) {
    io::File socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in there = address_of(port);
    if (connect(socket.descriptor(), reinterpret_cast<const sockaddr*>(&there), sizeof there) !=
        0) {
      socket.close();
    }
    return socket;
  }
  // Sends, and waits until the other side has ended.
  static void talk(const io::File& socket, std::string_view bytes) {
    static_cast<void>(send(socket.descriptor(), bytes.data(), bytes.size(), MSG_NOSIGNAL));
    shutdown(socket.descriptor(), SHUT_WR);
    std::array<char, 4096> room;
    while (recv(socket.descriptor(), room.data(), room.size(), 0) > 0) {
    }
  }

  std::uint16_t gossip_port_ = free_port(), rpc_port_ = free_port();
  std::ostringstream out_;  // the thread's until it has ended
  std::thread thread_;
  io::File rpc_, udp_{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  std::uint64_t sequence_ = 0;
  std::size_t datagrams_ = 0;
};

std::string asked(std::string_view name, int number, const std::string& payload,
                  const std::string& filters = "\x90") {
  const auto unique = static_cast<std::uint64_t>(number);
  return serf(SerfType::query, map({{"Addr", text(address)},
                                    {"Filters", filters},
                                    {"Flags", u64(0)},
                                    {"ID", u64(unique)},
                                    {"LTime", u64(10 + unique)},
                                    {"Name", text(name)},
                                    {"Payload", text(payload)},
                                    {"Port", u64(1)},
                                    {"RelayFactor", u64(0)},
                                    {"SourceNode", text("x")},
                                    {"Timeout", i64(1'000'000'000)}}));
}
std::string happened(std::string_view name, int number) {
  return serf(SerfType::user_event, map({{"CC", no},
                                         {"LTime", u64(10 + static_cast<std::uint64_t>(number))},
                                         {"Name", text(name)},
                                         {"Payload", nil}}));
}

// Everything that a peer or an RPC client can make the agent write as often as it likes. Not here:
// wrong tokens, which wait (RpcServer.GuessesOfTokensAreSlowed), and what needs a cluster with keys
// or hosted members (KeyManager, NameVote and Hosting, whose lines go the same way).
struct Provocation {
  std::string_view kind;  // as the log names what it left out
  std::string_view line;  // a part of each
  unsigned lines_per_second;
  std::function<void(LoggingAgent&, int number)> provoke;
  int times = lines_per_second > 100 ? 3000 : 300;
};

std::vector<Provocation> provocations() {
  constexpr unsigned few = agent::LogLimiter::refused_lines_max;
  constexpr unsigned lots = agent::LogLimiter::told_lines_max;
  const auto datagram = [](auto bytes_of) {
    return [bytes_of](LoggingAgent& target, int number) { target.datagram(bytes_of(number)); };
  };
  const std::string too_much(2000, 'x');
  const std::string key_of_three =
      "\x06\x81\xa3Key\xa3"
      "abc";
  // Lamport times of queries rise. What is of one kind with something else comes before it.
  return {
      {"event-received", "agent: Received event: user-event: flood", lots,
       datagram([](int number) { return happened("flood-" + std::to_string(number), number); })},
      {"query-seen", "serf: messageQueryType: seen", lots,
       datagram([](int number) { return asked("seen", number, ""); })},
      {"packet-dropped", "memberlist: Packet refused", few,
       datagram([](int) { return std::string("\x07\x80"); })},
      {"message-dropped", "memberlist: Message refused", few,
       datagram([](int) { return std::string("\x08\x63"); })},
      {"alive-ignored", "memberlist: Ignoring an alive message", few,
       datagram([](int) { return alive(text("\x01"), "short"); })},
      {"conflict", "serf: Name conflict for 'twice'", few, datagram([](int number) {
         return alive(good_versions, "twice", number == 0 ? address : "\x7f\x00\x00\x03"s);
       })},
      {"refuted", "memberlist: Refuting what was said of us", lots, datagram([](int number) {
         return message(MessageType::suspect,
                        map({{"From", text("x")},
                             {"Incarnation", u64(1 + static_cast<std::uint64_t>(number))},
                             {"Node", text("me")}}));
       })},
      {"member-event", "serf: EventMemberJoin: many-", lots,
       datagram([](int number) { return alive(good_versions, "many-" + std::to_string(number)); })},
      {"stream-failed", "memberlist: Stream with", few,
       [](LoggingAgent& target, int) { target.stream("\x63"); }},
      {"query-unhandled", "serf: Unhandled internal query 'sense'", few,
       datagram([](int number) { return asked("_serf_sense", 4'000 + number, ""); })},
      {"key-query", "serf: Received list-keys query", lots,
       datagram([](int number) { return asked("_serf_list-keys", 5'000 + number, "\x06\x80"); })},
      {"query-filter", "serf: failed to filter query regex", few, datagram([](int number) {
         return asked("load", 10'000 + number, "",
                      "\x91" + text("\x01" + map({{"Expr", text("((")}, {"Tag", text("role")}})));
       })},
      {"key-request", "serf: Failed to decode key request", few,
       datagram([](int number) { return asked("_serf_use-key", 20'000 + number, "\x06\xc0"); })},
      {"key-request", "serf: No keyring to modify", few, datagram([=](int number) {
         return asked("_serf_install-key", 30'000 + number, key_of_three);
       })},
      {"vote-query", "serf: Got conflict resolution query", lots,
       datagram([](int number) { return asked("_serf_conflict", 50'000 + number, "x"); })},
      {"script-failed", "agent: Error invoking script 'false'", few,
       datagram([](int number) { return happened("fails", 10'000 + number); })},
      {"event-dropped", "serf: received old event", few, datagram([](int number) {
         return happened("old-" + std::to_string(number), number == 0 ? 1 << 30 : 0);
       })},
      {"rpc-client-accepted", "agent.ipc: Accepted client", few,
       [](LoggingAgent& target, int) { target.rpc_client(""); }},
      {"rpc-client-closed", "agent.ipc: closing client", few,
       [](LoggingAgent& target, int) { target.rpc_client("\xc1"); }},
      {"event-request", "agent: Requesting user event send: asked", lots,
       [=](LoggingAgent& target, int) {
         // Too large to be sent, so that it costs nobody anything else.
         target.ask("event", agent::EventRequest{.name = "asked" + too_much, .payload = {}});
       }},
      {"force-leave", "agent: Force leaving node: nobody", lots,
       [](LoggingAgent& target, int) {
         target.ask("force-leave", agent::ForceLeaveRequest{.node = "nobody", .prune = false});
       },
       10},  // each is answered when it was gossiped
      {"query-request-failed", "agent: failed to start user query", few,
       [=](LoggingAgent& target, int) {
         agent::QueryRequest large;
         large.name = "large";
         large.payload = too_much;
         target.ask("query", large);
       }},
      {"join", "agent: joining: []", lots,
       [](LoggingAgent& target, int) { target.ask("join", agent::JoinRequest{}); }},
  };
}

TEST(HostilePeers, TheLogIsBounded) {
  LoggingAgent target;
  std::map<std::string_view, std::size_t> provoked;
  std::map<std::string_view, double> seconds;
  for (const Provocation& one : provocations()) {
    const Instant start = agent::EventLoop::now();
    for (int i = 0; i < one.times; ++i) one.provoke(target, i);
    provoked[one.kind] += static_cast<std::size_t>(one.times);
    seconds[one.kind] += std::chrono::duration<double>(agent::EventLoop::now() - start).count();
  }
  const std::string log = target.end();
  std::map<std::string, std::size_t> left_out;
  std::map<std::string_view, std::size_t> written;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    const auto further = line.find(" further lines of the kind '");
    if (further != std::string::npos) {
      const std::size_t from = line.find('\'', further) + 1;
      const std::size_t digits = line.rfind(' ', further - 1) + 1;
      left_out[line.substr(from, line.find('\'', from) - from)] +=
          std::stoul(line.substr(digits, further - digits));
    }
    std::set<std::string_view> counted;
    for (const Provocation& one : provocations()) {
      if (line.find(one.line) == std::string::npos || !counted.insert(one.kind).second) continue;
      ++written[one.kind];
    }
  }
  for (const Provocation& one : provocations()) {
    SCOPED_TRACE(one.kind);
    const std::size_t told = written[one.kind], rest = left_out[std::string(one.kind)];
    EXPECT_GE(2 * told, std::min(provoked[one.kind], std::size_t{one.lines_per_second}))
        << "it was not provoked";
    // A slow machine does not get to a thousand lines a second.
    const bool flooded =
        static_cast<double>(provoked[one.kind]) > (seconds[one.kind] + 3) * one.lines_per_second;
    EXPECT_TRUE(rest > 0 || !flooded);
    EXPECT_GE(told + rest, provoked[one.kind] * 9 / 10) << "some are neither written nor counted";
    // What waits in queues is told later than it was sent: three seconds for that.
    EXPECT_LE(static_cast<double>(told), (seconds[one.kind] + 3) * one.lines_per_second);
  }
}

}  // namespace
}  // namespace starling::test
