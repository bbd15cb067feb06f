#include "agent/members_mirror.h"

#include <map>
#include <random>

#include <gtest/gtest.h>

#include "tests/agent/member_event.h"

namespace starling::agent {
namespace {

using namespace std::string_view_literals;

std::string names(MembersMirror::Listing listing) {
  std::string text;
  while (listing.left() > 0) text += (text.empty() ? "" : " ") + std::string(listing.next().name);
  return text;
}

std::string numbered(std::size_t number) {
  return "member-with-a-long-name-" + std::to_string(number);
}

TEST(MembersMirror, RowsComeChangeAndGo) {
  MembersMirror mirror;
  mirror.apply(joined("a"));
  auto found = mirror.find("a");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->status, MemberStatus::alive);
  EXPECT_EQ(decode_tags(found->tags), (Tags{{"role", "web"}}));
  EXPECT_EQ(found->endpoint.port, 7946);
  mirror.apply(member_event("a", MemberStatus::leaving, std::nullopt));
  EXPECT_EQ(mirror.find("a")->status, MemberStatus::leaving);
  mirror.apply(member_event("b", MemberStatus::failed, MemberEventKind::failed));
  EXPECT_EQ(mirror.size(), 2U);
  mirror.apply(reaped("a"));
  EXPECT_FALSE(mirror.find("a"));
  mirror.apply(reaped("unknown"));
  EXPECT_EQ(mirror.size(), 1U);
}

TEST(MembersMirror, BareRole) {
  Event event = joined("a");
  event.payload = as_bytes("db"sv);
  EXPECT_EQ(member_of(event).tags, (Tags{{"role", "db"}}));
}

TEST(MembersMirror, IsVisitedInPortions) {
  MembersMirror mirror;
  for (std::size_t i = 0; i < 1000; ++i) mirror.apply(joined(numbered(i)));
  for (std::size_t i = 0; i < 1000; i += 3) mirror.apply(reaped(numbered(i)));
  MembersMirror::Walk walk;
  std::map<std::string, int> seen;
  std::size_t portions = 1;
  const auto visit = [&](std::size_t rows) {
    std::size_t visited = 0;
    const bool more = mirror.visit_more(walk, rows, [&](const MemberView& member) {
      ++seen[std::string(member.name)];
      ++visited;
    });
    EXPECT_LE(visited, rows);
    return more;
  };
  while (visit(64)) {
    // Others come and go meanwhile, and take the rows of those that went.
    mirror.apply(reaped(numbered(3 * portions + 1)));
    mirror.apply(joined("new-" + std::to_string(portions++)));
  }
  EXPECT_EQ(portions, 16U);
  for (std::size_t i = 0; i < 1000; ++i) {
    const bool stayed = i % 3 == 2 || (i % 3 == 1 && i > 3 * portions);
    EXPECT_GE(seen[numbered(i)], stayed ? 1 : 0) << i;
    EXPECT_LE(seen[numbered(i)], 1) << i;
  }
  EXPECT_FALSE(visit(64)) << "there is no more";
  MembersMirror empty;
  MembersMirror::Walk nothing;
  EXPECT_FALSE(empty.visit_more(nothing, 1, [](const MemberView&) { ADD_FAILURE(); }));
}

TEST(MembersMirror, EqualTagsAreShared) {
  MembersMirror mirror;
  for (std::size_t i = 0; i < 100; ++i) mirror.apply(joined(numbered(i)));
  EXPECT_EQ(mirror.tag_sets(), 1U);
  const std::string name = numbered(3);
  Event event = joined(name);
  event.payload = as_bytes("db"sv);
  mirror.apply(event);
  EXPECT_EQ(mirror.tag_sets(), 2U);
  mirror.apply(joined(numbered(3)));
  EXPECT_EQ(mirror.tag_sets(), 1U);
  for (std::size_t i = 0; i < 100; ++i) mirror.apply(reaped(numbered(i)));
  EXPECT_EQ(mirror.tag_sets(), 0U);
}

// Against a plain map, with enough coming and going to fill, empty and grow the index.
TEST(MembersMirror, AgreesWithAMap) {
  MembersMirror mirror;
  std::map<std::string, MemberStatus> expected;
  std::mt19937 random(7);
  for (int step = 0; step < 20'000; ++step) {
    const std::string name = numbered(random() % 700);
    if (random() % 5 < 2) {
      mirror.apply(reaped(name));
      expected.erase(name);
    } else {
      const auto status = static_cast<MemberStatus>(1 + random() % 4);
      mirror.apply(member_event(name, status, std::nullopt));
      expected[name] = status;
    }
    ASSERT_EQ(mirror.size(), expected.size());
    if (step % 500 != 0) continue;
    for (std::size_t i = 0; i < 700; ++i) {
      const auto found = mirror.find(numbered(i));
      const auto wanted = expected.find(numbered(i));
      ASSERT_EQ(found.has_value(), wanted != expected.end());
      if (!found) continue;
      EXPECT_EQ(found->status, wanted->second);
    }
    MembersMirror::Listing listing = mirror.list();
    ASSERT_EQ(listing.size(), expected.size());
    for (const auto& [wanted, status] : expected) {
      const MemberView view = listing.next();
      EXPECT_EQ(view.name, wanted);
      EXPECT_EQ(view.status, status);
    }
  }
}

TEST(MembersMirror, ListsWhatIsWanted) {
  MembersMirror mirror;
  for (const char* name : {"c", "a", "d", "b"}) mirror.apply(joined(name));
  EXPECT_EQ(names(mirror.list()), "a b c d");
  EXPECT_EQ(names(mirror.list([](const MemberView& member) { return member.name > "b"; })), "c d");
}

// Each member of the moment comes once, with its name and status of then and its newest tags.
TEST(MembersMirrorListing, IsOfOneMoment) {
  MembersMirror mirror;
  for (const char* name : {"a", "b", "c", "d"}) mirror.apply(joined(name));
  MembersMirror::Listing listing = mirror.list();
  EXPECT_EQ(listing.next().name, "a");
  mirror.apply(reaped("a"));
  mirror.apply(reaped("b"));
  mirror.apply(joined("e"));
  mirror.apply(joined("b"));
  Event failed = member_event("c", MemberStatus::failed, MemberEventKind::failed);
  failed.payload = as_bytes("db"sv);
  mirror.apply(failed);
  EXPECT_EQ(listing.next().name, "b");
  const MemberView c = listing.next();
  EXPECT_EQ(c.name, "c");
  EXPECT_EQ(c.status, MemberStatus::alive);
  EXPECT_EQ(decode_tags(c.tags), (Tags{{"role", "db"}}));
  EXPECT_EQ(listing.next().name, "d");
  EXPECT_EQ(listing.left(), 0U);
  EXPECT_EQ(names(mirror.list()), "b c d e");
}

TEST(MembersMirrorListing, ReapedRowsGoWithTheLastListing) {
  MembersMirror mirror;
  Event event = joined("a");
  event.payload = as_bytes("db"sv);
  mirror.apply(event);
  mirror.apply(joined("b"));
  {
    MembersMirror::Listing first = mirror.list();
    MembersMirror::Listing second = mirror.list();
    mirror.apply(reaped("a"));
    MembersMirror::Listing moved = std::move(first);
    EXPECT_EQ(moved.next().name, "a");
    EXPECT_EQ(mirror.tag_sets(), 2U);
    moved = mirror.list();
    EXPECT_EQ(mirror.tag_sets(), 2U) << "the second still wants it";
    EXPECT_EQ(second.next().name, "a");
  }
  EXPECT_EQ(mirror.tag_sets(), 1U);
}

// Nobody can make the mirror grow for ever by not reading on.
TEST(MembersMirrorListing, IsLostWhenTooMuchHasGone) {
  MembersMirror mirror;
  mirror.apply(joined("stays"));
  MembersMirror::Listing stale = mirror.list();
  std::size_t reaps = 0;
  for (; !stale.lost() && reaps < 10'000; ++reaps) {
    mirror.apply(joined(numbered(reaps)));
    mirror.apply(reaped(numbered(reaps)));
  }
  EXPECT_EQ(reaps, 1025U);
  MembersMirror::Listing fresh = mirror.list();
  EXPECT_FALSE(fresh.lost());
  mirror.apply(reaped("stays"));
  stale = mirror.list();  // the lost one ends: the fresh one still has its row
  EXPECT_EQ(names(std::move(fresh)), "stays");
}

}  // namespace
}  // namespace starling::agent
