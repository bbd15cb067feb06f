// The stream half of the conformance suite; each kind of port instantiates it.
#pragma once

#include "tests/io/conformance/harness.h"

namespace starling::io {

// Two ports with one stream between them: a dialled, b accepted.
class StreamConformance : public Conformance {
 protected:
  void open_pair(PortOptions b_options = {.bind = loopback_v4()}) {
    OPEN(a, {.bind = b_options.bind});
    OPEN(b, b_options);
    a.connect(dialled, b.ports->bound());
    ASSERT_TRUE(
        until([&] { return a.seen.count(StreamEvent::Kind::connected) == 1; }, [&] { turn(); }));
    ASSERT_TRUE(
        until([&] { return b.seen.count(StreamEvent::Kind::accepted) == 1; }, [&] { turn(); }));
    accepted = b.seen.first(StreamEvent::Kind::accepted).stream;
  }
  void turn() {
    a.turn();
    b.turn();
  }
  bool turn_until(const std::function<bool()>& done) {
    return until(done, [&] { turn(); });
  }
  // A few turns in which nothing more may be reported.
  void expect_silence() {
    const std::size_t before = a.seen.events.size() + b.seen.events.size();
    for (int i = 0; i < 20; ++i) turn();
    EXPECT_EQ(a.seen.events.size() + b.seen.events.size(), before);
  }

  static constexpr StreamId dialled{7};
  Side a, b;
  StreamId accepted{};
};

}  // namespace starling::io
