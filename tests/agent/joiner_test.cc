#include "agent/joiner.h"

#include "tests/agent/engine_fixture.h"

namespace starling::agent {
namespace {

struct JoinerFixture : EngineFixture {
  Log log{LogLevel::err, [](std::string_view) {}};
  Resolver resolver{loop};
  Joiner joiner{*engine, resolver, log, 1};
  explicit JoinerFixture(std::string name) : EngineFixture(std::move(name)) {}
};

TEST(Joiner, ErrorsAsGoPrintsThem) {
  EXPECT_EQ(join_errors({}), "");
  EXPECT_EQ(join_errors({"x"}), "1 error occurred:\n\t* x\n\n");
  EXPECT_EQ(join_errors({"x", "y"}), "2 errors occurred:\n\t* x\n\t* y\n\n");
}

TEST(Joiner, OneSuccessIsASuccess) {
  EngineFixture other("b");
  JoinerFixture f("a");
  std::optional<std::size_t> count;
  std::string problem = "not called";
  // Port 1 refuses; a name needs a lookup; the other engine runs on a thread of its own.
  f.joiner.join({"127.0.0.1", format_endpoint(other.engine->ports().bound())}, false,
                [&](std::size_t reached, const std::string& error) {
                  count = reached;
                  problem = error;
                });
  EXPECT_FALSE(count);
  EXPECT_TRUE(f.run_until([&] { return count && f.joined.size() == 2; }));
  EXPECT_EQ(count, 1U);
  EXPECT_EQ(problem, "");
}

TEST(Joiner, FailuresAreListedAndJoinsQueue) {
  JoinerFixture f("a");
  std::vector<std::string> ends;
  const auto note = [&](std::size_t count, const std::string& error) {
    ends.push_back(std::to_string(count) + " " + error);
  };
  f.joiner.join({"127.0.0.1", "127.0.0.1:99999"}, false, note);
  f.joiner.join({}, false, note);
  EXPECT_TRUE(f.run_until([&] { return ends.size() == 2; }));
  ASSERT_EQ(ends.size(), 2U);
  EXPECT_EQ(ends[0],
            "0 2 errors occurred:\n\t* Failed to join 127.0.0.1: dial tcp 127.0.0.1:1: connect: "
            "connection refused\n\t* Failed to resolve 127.0.0.1:99999: address 99999: invalid "
            "port\n\n");
  EXPECT_EQ(ends[1], "0 ");
}

}  // namespace
}  // namespace starling::agent
