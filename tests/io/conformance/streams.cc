#include "tests/io/conformance/streams.h"

#include <cerrno>

namespace starling::io {

namespace {

using Kind = StreamEvent::Kind;

std::string pattern(std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>((i * 131) >> 3);
  return text;
}

#define OPEN_PAIR(...)    \
  open_pair(__VA_ARGS__); \
  if (IsSkipped() || HasFatalFailure()) return

TEST_P(StreamConformance, CarriesBytesBothWays) {
  OPEN_PAIR();
  EXPECT_TRUE(is_accepted(accepted));
  EXPECT_EQ(b.seen.first(Kind::accepted).peer.address, loopback_v4().address);
  const std::string question = "state?", answer = pattern(100'000);
  a.write(dialled, question);
  ASSERT_TRUE(turn_until([&] { return b.seen.bytes_of(accepted) == question; }));
  ASSERT_TRUE(turn_until([&] { return a.seen.count(Kind::written) == 1; }));
  b.write(accepted, answer);
  ASSERT_TRUE(turn_until([&] { return a.seen.bytes_of(dialled).size() == answer.size(); }));
  EXPECT_EQ(a.seen.bytes_of(dialled), answer);
  ASSERT_TRUE(turn_until([&] { return b.seen.count(Kind::written) == 1; }));
  expect_silence();
}

TEST_P(StreamConformance, CarriesBytesOverIpv6) {
  OPEN_PAIR({.bind = loopback_v6()});
  EXPECT_EQ(b.seen.first(Kind::accepted).peer.address, loopback_v6().address);
  a.write(dialled, "six");
  ASSERT_TRUE(turn_until([&] { return b.seen.bytes_of(accepted) == "six"; }));
}

TEST_P(StreamConformance, ReportsARefusedConnect) {
  Endpoint nobody;
  {
    Side gone;
    OPEN(gone);
    nobody = gone.ports->bound();
    gone.turn();
    gone.ports->leave();
  }
  OPEN(a);
  a.connect(dialled, nobody);
  ASSERT_TRUE(until([&] { return !a.seen.events.empty(); }, [&] { a.turn(); }));
  ASSERT_EQ(a.seen.events.size(), 1U);
  EXPECT_EQ(a.seen.events[0].kind, Kind::failed);
  EXPECT_EQ(a.seen.events[0].stream, dialled);
  EXPECT_EQ(a.seen.events[0].error_number, ECONNREFUSED);
  // The id is free again.
  a.connect(dialled, nobody);
  ASSERT_TRUE(until([&] { return a.seen.events.size() == 2; }, [&] { a.turn(); }));
}

TEST_P(StreamConformance, HoldsBackABigWriteUntilTheReaderReads) {
  OPEN_PAIR();
  const std::string big = pattern(8u << 20);
  a.write(dialled, big);
  // The reader takes nothing: what lies between the two is bounded by the buffers.
  for (int i = 0; i < 50; ++i) a.turn();
  EXPECT_EQ(a.seen.count(Kind::written), 0U);
  // Each call yields at most one chunk of this stream.
  std::size_t chunks_max = 0, chunk_bytes_max = 0;
  ASSERT_TRUE(until([&] { return b.seen.bytes_of(accepted).size() == big.size(); },
                    [&] {
                      for (int i = 0; i < 16; ++i) {
                        const std::size_t before = b.seen.events.size();
                        b.turn();
                        chunks_max = std::max(chunks_max, b.seen.events.size() - before);
                        if (b.seen.events.size() > before) {
                          chunk_bytes_max =
                              std::max(chunk_bytes_max, b.seen.events.back().bytes.size());
                        }
                        a.turn(Duration::zero());
                      }
                    }));
  EXPECT_EQ(chunks_max, 1U);
  EXPECT_LE(chunk_bytes_max, 65'536U);
  EXPECT_EQ(b.seen.bytes_of(accepted), big);
  ASSERT_TRUE(turn_until([&] { return a.seen.count(Kind::written) == 1; }));
}

TEST_P(StreamConformance, CarriesBigWritesBothWaysAtOnce) {
  OPEN_PAIR();
  const std::string up = pattern(3u << 20), down = pattern(2u << 20);
  a.write(dialled, up);
  b.write(accepted, down);
  ASSERT_TRUE(turn_until([&] {
    return a.seen.count(Kind::written) == 1 && b.seen.count(Kind::written) == 1 &&
           a.seen.bytes_of(dialled).size() == down.size() &&
           b.seen.bytes_of(accepted).size() == up.size();
  }));
  EXPECT_EQ(a.seen.bytes_of(dialled), down);
  EXPECT_EQ(b.seen.bytes_of(accepted), up);
}

TEST_P(StreamConformance, FinishSendsEverythingThenTheEnd) {
  OPEN_PAIR();
  const std::string state = pattern(1u << 20);
  b.write(accepted, state);
  b.finish(accepted);
  ASSERT_TRUE(turn_until([&] { return a.seen.count(Kind::closed) == 1; }));
  EXPECT_EQ(a.seen.bytes_of(dialled), state);
  EXPECT_EQ(a.seen.count(Kind::failed), 0U);
  // `closed` freed the stream at a, which ends it at b as well.
  ASSERT_TRUE(turn_until([&] { return b.seen.count(Kind::closed) == 1; }));
  EXPECT_EQ(b.seen.count(Kind::written), 1U);
  expect_silence();
}

TEST_P(StreamConformance, AfterFinishThePeerMayStillAnswer) {
  OPEN_PAIR();
  a.write(dialled, "question");
  a.finish(dialled);
  ASSERT_TRUE(turn_until([&] { return b.seen.bytes_of(accepted) == "question"; }));
  const std::string answer = pattern(200'000);
  // The end of the question may be reported only after the answer is out.
  b.write(accepted, answer);
  ASSERT_TRUE(turn_until([&] { return b.seen.count(Kind::closed) == 1; }));
  ASSERT_TRUE(turn_until([&] { return a.seen.count(Kind::closed) == 1; }));
  EXPECT_EQ(a.seen.bytes_of(dialled), answer);
}

TEST_P(StreamConformance, CloseAfterTheLastByteDoesNotDestroyIt) {
  OPEN_PAIR();
  // b has not read all of a's bytes when it closes: a plain close would reset the connection.
  const std::string answer = pattern(60'000);
  a.write(dialled, pattern(100'000));
  ASSERT_TRUE(turn_until([&] { return a.seen.count(Kind::written) == 1; }));
  b.write(accepted, answer);
  ASSERT_TRUE(until([&] { return b.seen.count(Kind::written) == 1; }, [&] { b.turn(); }));
  b.close(accepted);
  const std::size_t at_close = b.seen.events.size();
  ASSERT_TRUE(turn_until([&] { return a.seen.count(Kind::closed) == 1; }));
  EXPECT_EQ(a.seen.bytes_of(dialled), answer);
  EXPECT_EQ(a.seen.count(Kind::failed), 0U);
  for (int i = 0; i < 20; ++i) turn();
  EXPECT_EQ(b.seen.events.size(), at_close);  // nothing after close
}

TEST_P(StreamConformance, CloseWithAPendingWriteAbandonsIt) {
  OPEN_PAIR();
  const std::string big = pattern(8u << 20);
  a.write(dialled, big);
  a.turn();
  a.close(dialled);
  const std::size_t at_close = a.seen.events.size();
  ASSERT_TRUE(
      turn_until([&] { return b.seen.count(Kind::closed) + b.seen.count(Kind::failed) == 1; }));
  EXPECT_LT(b.seen.bytes_of(accepted).size(), big.size());
  EXPECT_EQ(a.seen.events.size(), at_close);
  // The id is free at once.
  a.connect(dialled, b.ports->bound());
  ASSERT_TRUE(turn_until([&] { return a.seen.count(Kind::connected) == 2; }));
}

TEST_P(StreamConformance, CloseOfAPendingConnectIsSilent) {
  OPEN(a);
  OPEN(b);
  for (int i = 0; i < 20; ++i) {
    a.connect(dialled, b.ports->bound());
    a.close(dialled);
  }
  for (int i = 0; i < 50; ++i) turn();
  EXPECT_TRUE(a.seen.events.empty());
  a.connect(dialled, b.ports->bound());
  ASSERT_TRUE(turn_until([&] { return a.seen.count(Kind::connected) == 1; }));
}

TEST_P(StreamConformance, APeerThatVanishesFailsAPendingWrite) {
  OPEN_PAIR();
  const std::string big = pattern(8u << 20);
  a.write(dialled, big);
  for (int i = 0; i < 5; ++i) a.turn();
  b.ports->leave();
  b.ports.reset();  // with unread input: the peer sees a reset
  ASSERT_TRUE(until([&] { return a.seen.count(Kind::failed) + a.seen.count(Kind::closed) == 1; },
                    [&] { a.turn(); }));
  EXPECT_EQ(a.seen.count(Kind::failed), 1U);
  EXPECT_EQ(a.seen.count(Kind::written), 0U);
  const int number = a.seen.first(Kind::failed).error_number;
  EXPECT_TRUE(number == ECONNRESET || number == EPIPE) << number;
}

TEST_P(StreamConformance, OperationsOnAGoneStreamAreIgnored) {
  OPEN_PAIR();
  a.close(dialled);
  ASSERT_TRUE(turn_until([&] { return b.seen.count(Kind::closed) == 1; }));
  a.close(dialled);
  a.finish(dialled);
  a.write(dialled, "late");
  b.write(accepted, "late");
  b.close(accepted);
  expect_silence();
}

TEST_P(StreamConformance, AnAcceptedIdIsNotUsedAgainAtOnce) {
  OPEN_PAIR();
  a.close(dialled);
  ASSERT_TRUE(turn_until([&] { return b.seen.count(Kind::closed) == 1; }));
  a.connect(dialled, b.ports->bound());
  ASSERT_TRUE(turn_until([&] { return b.seen.count(Kind::accepted) == 2; }));
  EXPECT_EQ(b.seen.count(Kind::accepted, accepted), 1U);
}

TEST_P(StreamConformance, ManyStreamsKeepTheirBytesApart) {
  OPEN(a);
  OPEN(b);
  constexpr std::uint32_t streams = 40;
  std::vector<std::string> texts;
  for (std::uint32_t i = 0; i < streams; ++i) texts.push_back("stream " + std::to_string(i));
  for (std::uint32_t i = 0; i < streams; ++i) a.connect(StreamId{i}, b.ports->bound());
  ASSERT_TRUE(turn_until([&] { return a.seen.count(Kind::connected) == streams; }));
  ASSERT_TRUE(turn_until([&] { return b.seen.count(Kind::accepted) == streams; }));
  for (std::uint32_t i = 0; i < streams; ++i) a.write(StreamId{i}, texts[i]);
  ASSERT_TRUE(turn_until([&] { return b.seen.count(Kind::readable) == streams; }));
  std::vector<std::string> seen;
  for (const SeenEvent& event : b.seen.events) {
    if (event.kind == Kind::accepted) seen.push_back(b.seen.bytes_of(event.stream));
  }
  std::ranges::sort(seen);
  std::ranges::sort(texts);
  EXPECT_EQ(seen, texts);
}

TEST_P(StreamConformance, PeersBeyondTheLimitWaitTheirTurn) {
  OPEN(a);
  OPEN(b, {.bind = loopback_v4(), .streams_max = 2});
  for (std::uint32_t i = 0; i < 5; ++i) a.connect(StreamId{i}, b.ports->bound());
  ASSERT_TRUE(turn_until([&] { return b.seen.count(Kind::accepted) == 2; }));
  for (int i = 0; i < 20; ++i) turn();
  EXPECT_EQ(b.seen.count(Kind::accepted), 2U);
  // Each that goes makes room for one.
  for (std::size_t gone = 0; gone < 3; ++gone) {
    std::vector<StreamId> ids;
    for (const SeenEvent& event : b.seen.events) {
      if (event.kind == Kind::accepted) ids.push_back(event.stream);
    }
    b.close(ids[gone]);
    ASSERT_TRUE(turn_until([&] { return b.seen.count(Kind::accepted) == 3 + gone; }));
  }
  // Dialling is not held up by peers that dialled us.
  b.connect(StreamId{1}, a.ports->bound());
  ASSERT_TRUE(turn_until([&] { return b.seen.count(Kind::connected) == 1; }));
}

TEST_P(StreamConformance, DialsBeyondTheLimitFail) {
  OPEN(a, {.bind = loopback_v4(), .streams_max = 2});
  OPEN(b);
  for (std::uint32_t i = 0; i < 3; ++i) a.connect(StreamId{i}, b.ports->bound());
  ASSERT_TRUE(turn_until([&] { return a.seen.events.size() == 3; }));
  EXPECT_EQ(a.seen.count(Kind::connected), 2U);
  EXPECT_EQ(a.seen.first(Kind::failed).stream, StreamId{2});
  EXPECT_EQ(a.seen.first(Kind::failed).error_number, ENOBUFS);
}

TEST_P(StreamConformance, AFinishedStreamIsClosedEvenIfThePeerStays) {
  OPEN_PAIR({.bind = loopback_v4(), .linger_max = std::chrono::milliseconds(50)});
  b.write(accepted, "bye");
  b.finish(accepted);
  // a never turns: its side stays open.
  const Instant before = MonotonicClock::now();
  ASSERT_TRUE(until([&] { return b.seen.count(Kind::closed) == 1; },
                    [&] { b.turn(std::chrono::milliseconds(500)); }));
  EXPECT_LT(MonotonicClock::now() - before, std::chrono::seconds(5));
}

TEST_P(StreamConformance, SurvivesAThousandShortStreams) {
  OPEN(a);
  OPEN(b);
  for (std::size_t i = 0; i < 1000; ++i) {
    a.connect(dialled, b.ports->bound());
    a.turn(Duration::zero());
    ASSERT_TRUE(turn_until([&] { return b.seen.count(Kind::accepted) == 1; }));
    ASSERT_TRUE(turn_until([&] { return a.seen.count(Kind::connected) == 1; }));
    const StreamId id = b.seen.first(Kind::accepted).stream;
    a.write(dialled, "ping");
    ASSERT_TRUE(turn_until([&] { return b.seen.bytes_of(id) == "ping"; }));
    b.write(id, "ack");
    b.finish(id);
    ASSERT_TRUE(turn_until([&] { return a.seen.count(Kind::closed) == 1; }));
    ASSERT_EQ(a.seen.bytes_of(dialled), "ack");
    ASSERT_TRUE(turn_until([&] { return b.seen.count(Kind::closed) == 1; }));
    a.seen.events.clear();
    b.seen.events.clear();
  }
}

}  // namespace

}  // namespace starling::io
