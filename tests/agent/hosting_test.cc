#include "agent/hosting.h"

#include "agent/members_mirror.h"
#include "tests/agent/engine_fixture.h"

namespace starling::agent {
namespace {

// An engine that hosts two members besides its own, of three places in all and one more.
struct HostingFixture : EngineFixture {
  Log log{LogLevel::err, [](std::string_view) {}};
  MembersMirror mirror;
  std::unique_ptr<Hosting> hosting;

  HostingFixture()
      : EngineFixture("own", {.hosted = {{"one"}, {"two", {{"k", "v"}}}}, .hosted_max = 4}) {
    on_event = [this](const Event& event) {
      if (event.kind == Event::Kind::member) mirror.apply(event);
    };
    hosting = std::make_unique<Hosting>(
        *engine, log, Hosting::Options{.own_name = "own", .own_advertise = engine->ports().bound()},
        std::vector<HostedSpec>{{"one"}, {"two", {{"k", "v"}}}});
    EXPECT_TRUE(run_until([&] { return mirror.size() == 3; }));
  }
  // Runs the loop until the command is answered.
  template <class Request>
  std::string answer(void (Hosting::*ask)(const Request&, Hosting::Done), const Request& request) {
    std::optional<std::string> answered;
    (hosting.get()->*ask)(request, [&](const std::string& error) { answered = error; });
    EXPECT_TRUE(run_until([&] { return answered.has_value(); }));
    return answered.value_or("no answer");
  }
  std::string host(const HostMemberRequest& request) { return answer(&Hosting::host, request); }
  std::string unhost(const std::string& name) {
    return answer(&Hosting::unhost, UnhostMemberRequest{.name = name});
  }
  std::string change_tags(const MemberTagsRequest& request) {
    return answer(&Hosting::change_tags, request);
  }
  Tags tags_of(std::string_view name) { return decode_tags(mirror.find(name)->tags); }
};

TEST(Hosting, MembersComeAndGo) {
  HostingFixture f;
  EXPECT_EQ(f.hosting->size(), 2U);
  EXPECT_EQ(f.tags_of("two"), (Tags{{"k", "v"}}));
  EXPECT_EQ(f.host({.name = "late", .tags = {{"x", "y"}}, .advertise = "127.0.0.9"}), "");
  EXPECT_TRUE(f.hosting->hosts("late"));
  EXPECT_EQ(f.tags_of("late"), (Tags{{"x", "y"}}));
  const Endpoint own = f.engine->ports().bound();
  EXPECT_EQ(f.mirror.find("late")->endpoint, (Endpoint{IpAddress::v4(127, 0, 0, 9), own.port}));
  EXPECT_EQ(f.mirror.find("two")->endpoint, own);
  EXPECT_EQ(f.unhost("late"), "");
  EXPECT_FALSE(f.hosting->hosts("late"));
  EXPECT_EQ(f.mirror.find("late")->status, MemberStatus::left);
  EXPECT_EQ(f.host({.name = "late", .tags = {}, .advertise = ""}), "");
  EXPECT_EQ(f.mirror.find("late")->status, MemberStatus::alive);
}

TEST(Hosting, TagsAreChangedOneByOne) {
  HostingFixture f;
  EXPECT_EQ(f.change_tags({.member = "two", .tags = {{"a", "1"}}, .delete_tags = {}}), "");
  EXPECT_EQ(f.change_tags({.member = "two", .tags = {{"b", "2"}}, .delete_tags = {"k"}}), "");
  EXPECT_EQ(f.tags_of("two"), (Tags{{"a", "1"}, {"b", "2"}}));
  EXPECT_EQ(f.tags_of("one"), Tags{});
  EXPECT_EQ(
      f.change_tags({.member = "two", .tags = {{"c", std::string(600, 'x')}}, .delete_tags = {}}),
      "Encoded length of tags exceeds limit of 512 bytes");
  EXPECT_EQ(f.change_tags({.member = "two", .tags = {}, .delete_tags = {"a"}}), "");
  EXPECT_EQ(f.tags_of("two"), (Tags{{"b", "2"}}));
  EXPECT_EQ(f.change_tags({.member = "nobody", .tags = {}, .delete_tags = {}}),
            "no member \"nobody\" is hosted here");
}

TEST(Hosting, RefusalsAreSentences) {
  HostingFixture f;
  EXPECT_EQ(f.host({.name = "one", .tags = {}, .advertise = ""}), "this member is hosted already");
  EXPECT_EQ(f.host({.name = "own", .tags = {}, .advertise = ""}),
            "\"own\" is the agent's own member");
  EXPECT_EQ(f.host({.name = "", .tags = {}, .advertise = ""}), "name is empty");
  EXPECT_EQ(f.host({.name = std::string(1 << 19, 'x'), .tags = {}, .advertise = ""}),
            "name is too long");
  EXPECT_EQ(f.host({.name = "x", .tags = {}, .advertise = "nowhere"}),
            "advertise: \"nowhere\" is not an IP address");
  EXPECT_EQ(f.host({.name = "x", .tags = {{"k", std::string(600, 'x')}}, .advertise = ""}),
            "Encoded length of tags exceeds limit of 512 bytes");
  EXPECT_EQ(f.host({.name = "fourth", .tags = {}, .advertise = ""}), "");
  EXPECT_EQ(f.host({.name = "fifth", .tags = {}, .advertise = ""}),
            "no room for another hosted member; -hosted-max sets how many there are");
  EXPECT_EQ(f.unhost("own"), "\"own\" is the agent's own member; it leaves with `leave`");
  EXPECT_EQ(f.unhost("nobody"), "no member \"nobody\" is hosted here");
  EXPECT_EQ(f.hosting->size(), 3U);
}

TEST(Hosting, AMemberThatLeavesIsLeftAlone) {
  HostingFixture f;
  std::optional<std::string> left;
  f.hosting->unhost({.name = "one"}, [&](const std::string& error) { left = error; });
  EXPECT_TRUE(f.hosting->hosts("one"));
  EXPECT_EQ(f.unhost("one"), "Leave already in progress");
  EXPECT_EQ(f.change_tags({.member = "one", .tags = {}, .delete_tags = {}}),
            "member \"one\" is leaving");
  EXPECT_TRUE(f.run_until([&] { return left.has_value(); }));
  EXPECT_EQ(left, "");
  EXPECT_FALSE(f.hosting->hosts("one"));
}

TEST(HostedOptions, NameTheMemberAtFault) {
  const Hosting::Options options{.own_name = "own",
                                 .own_advertise = {IpAddress::v4(127, 0, 0, 1), 7946}};
  const auto error_of = [&](const HostedSpec& spec) {
    return hosted_options({{"fine"}, spec}, options).error();
  };
  EXPECT_EQ(error_of({"own"}), "hosted member \"own\": this is the name of the agent itself");
  EXPECT_EQ(error_of({"a", {{"k", std::string(600, 'x')}}}),
            "hosted member \"a\": Encoded length of tags exceeds limit of 512 bytes");
  const auto fine = hosted_options({{"a", {}, "10.0.0.1"}}, options);
  ASSERT_TRUE(fine);
  EXPECT_EQ(fine->front().advertise, (Endpoint{IpAddress::v4(10, 0, 0, 1), 7946}));
}

}  // namespace
}  // namespace starling::agent
