#include "agent/snapshot/rejoin.h"

#include "agent/addresses.h"
#include "tests/agent/engine_fixture.h"

namespace starling::agent {
namespace {

struct RejoinFixture : EngineFixture {
  Log log{LogLevel::err, [](std::string_view) {}};
  Rejoin rejoin{*engine, log};
  std::optional<bool> reached;

  explicit RejoinFixture(std::string name) : EngineFixture(std::move(name)) {}
  void start(std::vector<SnapshotNode> nodes) {
    const SnapshotNode own{"a", format_endpoint(engine->ports().bound())};
    rejoin.start(std::move(nodes), own, [this](bool answer) { reached = answer; });
  }
  std::string logged() const {
    std::string all;
    for (const LogLine& line : log.ring()) all += line.text + "\n";
    return all;
  }
};

TEST(Rejoin, TriesUntilOneAnswers) {
  EngineFixture other("b");
  RejoinFixture f("a");
  const std::string address = format_endpoint(other.engine->ports().bound());
  f.start({{"a", "127.0.0.1:1"},  // ourselves
           {"hosted", format_endpoint(f.engine->ports().bound())},
           {"odd", "127.0.0.1:7946\r"},  // not an address
           {"gone", "127.0.0.1:1"},      // nobody listens
           {"b", address},
           {"never tried", "127.0.0.1:2"}});
  EXPECT_TRUE(f.run_until([&] { return f.reached && f.joined.size() == 2; }));
  EXPECT_EQ(f.reached, true);
  const std::string logged = f.logged();
  EXPECT_NE(logged.find("serf: Attempting re-join to previously known node: gone: 127.0.0.1:1"),
            std::string::npos);
  EXPECT_NE(logged.find("serf: Re-joined to previously known node: b: " + address),
            std::string::npos);
  EXPECT_EQ(logged.find("never tried"), std::string::npos);
  EXPECT_EQ(logged.find("node: a:"), std::string::npos);
  EXPECT_EQ(logged.find("hosted"), std::string::npos);
}

TEST(Rejoin, SaysThatNobodyAnswered) {
  RejoinFixture f("a");
  f.start({{"gone", "127.0.0.1:1"}, {"odd", "nonsense"}});
  EXPECT_TRUE(f.run_until([&] { return f.reached.has_value(); }));
  EXPECT_EQ(f.reached, false);
  EXPECT_NE(f.logged().find("serf: Failed to re-join any previously known node"),
            std::string::npos);
}

TEST(Rejoin, OfNobodyIsNothing) {
  RejoinFixture f("a");
  f.start({{"a", "127.0.0.1:1"}});
  EXPECT_FALSE(f.reached);
  EXPECT_TRUE(f.log.ring().empty());
}

}  // namespace
}  // namespace starling::agent
