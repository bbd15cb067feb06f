#include "agent/name_vote.h"

#include <algorithm>

#include "tests/agent/engine_fixture.h"
#include "tests/agent/member_event.h"
#include "wire/serf_messages.h"

namespace starling::agent {
namespace {

using namespace std::chrono_literals;

const Endpoint own{IpAddress::v4(127, 0, 0, 1), 7946};

// An answer that knows the member at this address.
std::string answer_at(const Endpoint& endpoint) {
  std::array<std::byte, 512> room;
  Writer out(room);
  encode(ConflictResponse{.known = true,
                          .address = endpoint.address.bytes(),
                          .port = endpoint.port,
                          .name = "x",
                          .tags = {}},
         {}, out);
  return std::string(as_text(out.written()));
}
const std::string unknown = "\x06\xc0";

TEST(VoteCount, NeedsTheMajorityOfAllAnswers) {
  const Endpoint other{IpAddress::v4(127, 0, 0, 2), 7946};
  struct Case {
    std::size_t ours, theirs, nil;
    bool won;
  };
  for (const Case& c :
       {Case{0, 0, 0, false}, Case{1, 0, 0, true}, Case{0, 1, 0, false}, Case{1, 1, 0, false},
        Case{2, 1, 0, true}, Case{2, 0, 2, false}, Case{3, 1, 1, true}}) {
    VoteCount votes(own);
    for (std::size_t i = 0; i < c.ours; ++i) EXPECT_TRUE(votes.add(answer_at(own)));
    for (std::size_t i = 0; i < c.theirs; ++i) EXPECT_TRUE(votes.add(answer_at(other)));
    for (std::size_t i = 0; i < c.nil; ++i) EXPECT_TRUE(votes.add(unknown));
    EXPECT_EQ(votes.responses(), c.ours + c.theirs + c.nil);
    EXPECT_EQ(votes.matching(), c.ours);
    EXPECT_EQ(votes.won(), c.won) << c.ours << " of " << votes.responses();
  }
}

TEST(VoteCount, PortAndAddressMustBoth) {
  VoteCount votes(own);
  EXPECT_TRUE(votes.add(answer_at({own.address, 7947})));
  EXPECT_EQ(votes.matching(), 0u);
}

TEST(VoteCount, WhatIsNoAnswerDoesNotCount) {
  VoteCount votes(own);
  EXPECT_EQ(votes.add("").error(), "Invalid conflict query response type: 0");
  EXPECT_EQ(votes.add("\x08x").error(), "Invalid conflict query response type: 8");
  EXPECT_TRUE(
      votes.add("\x06\x81").error().starts_with("Failed to decode conflict query response: "));
  EXPECT_EQ(votes.responses(), 0u);
}

TEST(VoteCount, MappedAddressesAreTheSame) {
  std::array<std::byte, 16> mapped{};
  mapped[10] = mapped[11] = std::byte{0xff};
  mapped[12] = std::byte{127};
  mapped[15] = std::byte{1};
  EXPECT_TRUE(same_address(IpAddress(mapped), own.address));
  mapped[10] = std::byte{0};
  EXPECT_FALSE(same_address(IpAddress(mapped), own.address));
}

TEST(ConflictAnswer, HasTheMemberOrNothing) {
  MembersMirror members;
  EXPECT_EQ(conflict_answer(members, "a"), unknown);
  members.apply(joined("a"));
  const std::string answer = conflict_answer(members, "a");
  Scratch scratch;
  const auto member = decode_conflict_response(as_bytes(answer).subspan(1), scratch);
  ASSERT_TRUE(member);
  EXPECT_TRUE(member->known);
  EXPECT_EQ(member->name, "a");
  EXPECT_EQ(IpAddress(member->address), own.address);
  EXPECT_EQ(member->port, 7946);
  EXPECT_EQ(member->status, 1);
  EXPECT_EQ(member->tags.size(), 1u);
  VoteCount votes(own);
  EXPECT_TRUE(votes.add(answer));
  EXPECT_TRUE(votes.won());
}

// A vote on a real engine that is alone: nobody answers, since we keep silent about our own name.
struct NameVoteFixture : EngineFixture {
  Log log{LogLevel::debug, [](std::string_view) {}};
  MembersMirror mirror;
  QueryDesk desk;
  std::vector<std::string> lost;
  std::unique_ptr<NameVote> vote;

  explicit NameVoteFixture(bool enabled = true)
      : EngineFixture("own"), desk(*engine, mirror, log, {.own_name = "own"}, [](SeenQuery) {}) {
    vote = std::make_unique<NameVote>(
        desk, mirror, log,
        NameVote::Options{
            .own_name = "own",
            .own = engine->ports().bound(),
            .enabled = enabled,
            .hosts = [](std::string_view name) { return name.starts_with("hosted"); }},
        [this](const std::string& name) { lost.push_back(name); });
    on_event = [this](const Event& event) {
      if (event.kind == Event::Kind::member) mirror.apply(event);
      desk.on_event(event);
    };
    EXPECT_TRUE(run_until([&] { return mirror.size() == 1; }));
  }
  ~NameVoteFixture() { engine->stop(); }
  static Event conflict(std::string_view name) {
    Event event;
    event.kind = Event::Kind::conflict;
    event.name = name;
    return event;
  }
};

TEST(NameVote, WithoutAnyAnswerIsLost) {
  NameVoteFixture f;
  f.vote->on_conflict(NameVoteFixture::conflict("own"));
  f.vote->on_conflict(NameVoteFixture::conflict("own"));  // one at a time
  EXPECT_EQ(f.desk.open(), 1u);
  ASSERT_TRUE(f.run_until([&] { return !f.lost.empty(); }));
  EXPECT_EQ(f.lost, std::vector<std::string>{"own"});
  EXPECT_TRUE(std::ranges::any_of(f.log.ring(), [](const LogLine& line) {
    return line.text.find("serf: minority in name conflict resolution, quiting [0 / 0]") !=
           std::string::npos;
  }));
}

TEST(NameVote, IsHeldOnEachHostedMember) {
  NameVoteFixture f;
  f.vote->on_conflict(NameVoteFixture::conflict("hosted1"));
  EXPECT_EQ(f.desk.open(), 0u) << "it is not among the members any more";
  f.mirror.apply(joined("hosted1"));
  f.mirror.apply(joined("hosted2"));
  f.vote->on_conflict(NameVoteFixture::conflict("hosted1"));
  f.vote->on_conflict(NameVoteFixture::conflict("hosted2"));
  f.vote->on_conflict(NameVoteFixture::conflict("hosted1"));
  EXPECT_EQ(f.desk.open(), 2u);
  // The agent's own member is another one and has a vote.
  ASSERT_TRUE(f.run_until([&] { return f.desk.open() == 0; }));
  EXPECT_EQ(std::ranges::count_if(f.log.ring(),
                                  [](const LogLine& line) {
                                    return line.text.find(
                                               "serf: majority in name conflict "
                                               "resolution [1 / 1]") != std::string::npos;
                                  }),
            2);
  EXPECT_TRUE(f.lost.empty());
}

TEST(NameVote, AreBoundedInNumber) {
  NameVoteFixture f;
  for (std::size_t i = 0; i < 2 * NameVote::votes_max; ++i) {
    const std::string name = "hosted" + std::to_string(i);
    f.mirror.apply(joined(name));
    f.vote->on_conflict(NameVoteFixture::conflict(name));
  }
  EXPECT_EQ(f.desk.open(), NameVote::votes_max);
}

TEST(NameVote, IsNotHeldAboutOthersOrWhenSwitchedOff) {
  NameVoteFixture f;
  f.vote->on_conflict(NameVoteFixture::conflict("other"));
  EXPECT_EQ(f.desk.open(), 0u);
  NameVoteFixture off(false);
  off.vote->on_conflict(NameVoteFixture::conflict("own"));
  EXPECT_EQ(off.desk.open(), 0u);
}

TEST(NameVote, AboutOthersIsAnswered) {
  NameVoteFixture f;
  f.mirror.apply(joined("a"));
  std::vector<std::string> answers;
  bool done = false;
  f.desk.ask({.name = "_serf_conflict", .payload = "a", .timeout = 200ms},
             {.on_ack = {},
              .on_response = [&](std::string_view,
                                 std::string_view payload) { answers.emplace_back(payload); },
              .on_done = [&] { done = true; }});
  ASSERT_TRUE(f.run_until([&] { return done; }));
  EXPECT_EQ(answers, std::vector<std::string>{conflict_answer(f.mirror, "a")});
}

}  // namespace
}  // namespace starling::agent
