#include "agent/snapshot/snapshot.h"

#include <csignal>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "tests/agent/member_event.h"
#include "tests/agent/snapshot/text_snapshot.h"
#include "tests/agent/temporary_folder.h"
#include "tests/support/vectors.h"

namespace starling::agent {
namespace {

using namespace std::chrono_literals;
using Nodes = std::map<std::string, std::string>;

struct SnapshotFixture {
  TemporaryFolder folder;
  EventLoop loop;
  std::vector<std::string> logged;
  Log log{LogLevel::trace, [this](std::string_view line) { logged.emplace_back(line); }};
  MembersMirror members{1000};
  Snapshot::Options options;
  Snapshot::Numbers numbers{.member_time = 1, .incarnation = 1};
  std::unique_ptr<Snapshot> snapshot;

  SnapshotFixture() {
    log.open_gate();
    options.path = folder.path("s");
    options.turn_interval = 5ms;
    options.repair_interval = 20ms;
  }
  void open() {
    auto opened = Snapshot::open(loop, log, members, options);
    ASSERT_TRUE(opened) << opened.error();
    snapshot = std::move(*opened);
    snapshot->start([this] { snapshot->on_numbers(numbers); });
  }
  void member(const Event& event) {
    members.apply(event);
    snapshot->on_member(event);
    numbers.members_alive = static_cast<std::uint32_t>(members.size());
  }
  void close() { snapshot.reset(); }
  std::string text() { return folder.read("s"); }
  Recovered recovered(bool rejoin = false) {
    return recover_text(text(), {.rejoin_after_leave = rejoin});
  }
  bool wait_for(const std::function<bool()>& done) {
    for (int i = 0; i < 2000; ++i) {
      if (done()) return true;
      loop.turn(5ms);
    }
    return false;
  }
};

TEST(Snapshot, WritesWhatSerfWrites) {
  SnapshotFixture f;
  f.open();
  f.member(joined("a"));
  f.member(joined("b"));
  f.snapshot->on_user_event(3);
  f.snapshot->on_user_event(2);  // not newer
  f.member(member_event("b", MemberStatus::failed, MemberEventKind::failed));
  f.member(member_event("a", MemberStatus::alive, MemberEventKind::update));
  f.member(member_event("a", MemberStatus::leaving, std::nullopt));
  f.numbers.member_time = 6;
  f.numbers.query_time = 10;
  EXPECT_TRUE(f.wait_for([&] { return f.text().find("query-clock") != std::string::npos; }));
  f.close();
  EXPECT_EQ(f.text(),
            "# starling incarnation: 64\n"
            "alive: a 127.0.0.1:7946\nalive: b 127.0.0.1:7946\nevent-clock: 3\nnot-alive: b\n"
            "clock: 5\nquery-clock: 9\n");
}

// The numbers come twice a second; what was handled since then must not be handled again.
TEST(Snapshot, NotesAQueryAtOnce) {
  SnapshotFixture f;
  f.open();
  f.snapshot->on_query(4);
  f.snapshot->on_query(3);  // not newer
  f.close();
  EXPECT_EQ(f.text(), "# starling incarnation: 64\nquery-clock: 4\n");
}

TEST(Snapshot, GoesOnWhereItStopped) {
  SnapshotFixture f;
  f.folder.write("s", "alive: x 10.0.0.1:7946\nclock: 5\nevent-clock: 7\nquery-clock: 2\nclo");
  f.open();
  EXPECT_EQ(nodes_of(f.snapshot->recovered()), (Nodes{{"x", "10.0.0.1:7946"}}));
  EXPECT_EQ(f.snapshot->recovered().clock, 5U);
  f.numbers.member_time = 6;  // 5 was seen, and written before
  f.snapshot->on_user_event(7);
  f.close();
  EXPECT_EQ(f.text(),
            "alive: x 10.0.0.1:7946\nclock: 5\nevent-clock: 7\nquery-clock: 2\n"
            "# starling incarnation: 64\n");
}

// A file of Serf's, and back: what we add to it says nothing to Serf.
TEST(Snapshot, OfSerfsOwnFileStaysReadableForSerf) {
  SnapshotFixture f;
  const test::ByteVector real = test::load_vector_file("real_snapshot_rejoin.snap");
  f.folder.write("s", std::string(as_text(real)));
  f.open();
  EXPECT_EQ(nodes_of(f.snapshot->recovered()), (Nodes{{"s2", "127.77.10.2:7946"}}));
  EXPECT_EQ(f.snapshot->recovered().clock, 6U);
  f.member(joined("s1"));
  f.close();
  EXPECT_TRUE(f.text().starts_with(as_text(real)));
  std::string added = f.text().substr(real.size());
  EXPECT_EQ(added, "# starling incarnation: 64\nalive: s1 127.0.0.1:7946\n");
}

TEST(Snapshot, AfterALeaveOnlyTheClockGoesOn) {
  SnapshotFixture f;
  f.open();
  f.member(joined("a"));
  f.snapshot->leave();
  f.snapshot->leave();
  f.member(joined("b"));
  f.snapshot->on_user_event(9);
  f.numbers = {.member_time = 4, .query_time = 8, .incarnation = 1};
  EXPECT_TRUE(f.wait_for([&] { return f.text().find("\nclock: ") != std::string::npos; }));
  f.close();
  EXPECT_EQ(f.text(), "# starling incarnation: 64\nalive: a 127.0.0.1:7946\nleave\nclock: 3\n");
  EXPECT_TRUE(f.recovered().nodes.empty());
  EXPECT_EQ(f.recovered(true).nodes.size(), 1U);
}

TEST(Snapshot, KeepsABoundAboveEveryIncarnation) {
  SnapshotFixture f;
  for (std::uint32_t life = 0; life < 3; ++life) {
    f.open();
    const std::uint32_t first = f.snapshot->recovered().incarnation + 1;
    std::uint32_t highest = first;
    for (; highest < first + 200; highest += 16) {
      f.numbers.incarnation = highest;
      f.snapshot->on_numbers(f.numbers);
    }
    f.close();
    EXPECT_GE(f.recovered().incarnation, highest - 16) << "the next life begins beyond the last";
    EXPECT_LE(f.recovered().incarnation, highest + 128);
  }
}

TEST(Snapshot, IsWrittenAnewWhenItHasGrownLong) {
  SnapshotFixture f;
  f.options.compaction_bytes_min = 2000;
  f.open();
  f.numbers.member_time = 6;
  f.member(joined("stays"));
  for (int i = 0; i < 200; ++i) {
    f.member(joined("comes-and-goes"));
    f.member(member_event("comes-and-goes", MemberStatus::failed, MemberEventKind::failed));
  }
  f.snapshot->on_user_event(12);
  EXPECT_TRUE(f.wait_for([&] {
    const std::string text = f.text();  // once: the writer goes on meanwhile
    return text.size() < 2000 && !f.snapshot->compacting() &&
           text.find("event-clock: 12") != std::string::npos;
  }));
  f.close();
  EXPECT_EQ(nodes_of(f.recovered()), (Nodes{{"stays", "127.0.0.1:7946"}}));
  EXPECT_EQ(f.recovered().clock, 5U);
  EXPECT_EQ(f.recovered().event_clock, 12U);
  EXPECT_EQ(f.recovered().incarnation, 64U);
  EXPECT_NE(f.text().find("query-clock: 0"), std::string::npos) << "always all three";
}

// Thousands of rows go in parts; what happens between two parts is right afterwards.
TEST(Snapshot, StaysRightWhileItIsWrittenAnew) {
  SnapshotFixture f;
  f.options.compaction_bytes_min = 1;
  f.options.turn_interval = 1h;  // turns are ours
  f.open();
  Nodes expected;
  std::vector<std::string> names;
  for (int i = 0; i < 9000; ++i) names.push_back("node-with-a-long-name-" + std::to_string(i));
  const auto comes = [&](const std::string& name) {
    f.member(joined(name));
    expected[name] = "127.0.0.1:7946";
  };
  const auto goes = [&](const std::string& name) {
    f.member(member_event(name, MemberStatus::failed, MemberEventKind::failed));
    expected.erase(name);
  };
  for (const std::string& name : names) comes(name);
  for (int i = 0; i < 3; ++i) {
    for (const std::string& name : names) {
      goes(name);
      comes(name);
    }
  }
  f.options.turn_interval = 5ms;
  f.snapshot.reset();
  f.open();
  std::size_t step = 0, turns_while_compacting = 0;
  EXPECT_TRUE(f.wait_for([&] {
    if (f.snapshot->compacting()) {
      ++turns_while_compacting;
      goes(names[step * 7 % names.size()]);
      comes(names[step * 11 % 4000]);
      goes(names[(step * 13 + 1) % names.size()]);
      ++step;
    }
    return step > 3 && !f.snapshot->compacting();
  }));
  EXPECT_GT(turns_while_compacting, 3U) << "in parts";
  f.close();
  RecoveryOptions all;
  all.nodes_max = 20'000;
  EXPECT_EQ(nodes_of(recover_text(f.text(), all)), expected);
}

// Until one of them is reached, the members of the earlier life are not forgotten.
TEST(Snapshot, KeepsTheEarlierMembersUntilOneIsReached) {
  for (const bool reached : {false, true}) {
    SnapshotFixture f;
    f.options.compaction_bytes_min = 1000;
    f.folder.write("s", "alive: earlier 10.0.0.7:7946\nalive: me 127.0.0.1:7946\n" +
                            std::string(2000, '#') + "\n");
    f.open();
    f.member(joined("me"));
    if (reached) f.snapshot->on_rejoined();
    EXPECT_TRUE(f.wait_for([&] { return f.text().size() < 1000 && !f.snapshot->compacting(); }));
    f.close();
    Nodes expected{{"me", "127.0.0.1:7946"}};
    if (!reached) expected["earlier"] = "10.0.0.7:7946";
    EXPECT_EQ(nodes_of(f.recovered()), expected);
  }
}

// Lines that a full disk has swallowed come back when there is room again.
TEST(Snapshot, IsRepairedAfterAFullDisk) {
  SnapshotFixture f;
  std::signal(SIGXFSZ, SIG_IGN);
  f.open();
  f.member(joined("a"));
  EXPECT_TRUE(f.wait_for([&] { return f.text().find("alive: a") != std::string::npos; }));
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit limit = before;
  limit.rlim_cur = 60;
  setrlimit(RLIMIT_FSIZE, &limit);
  f.member(joined("bbbbbbbbbbbbbbbb"));
  f.numbers.member_time = 9;
  const auto complained = [&] {
    return std::ranges::any_of(f.logged, [](const std::string& line) {
      return line.find("[ERR] serf: Failed to update snapshot: write ") != std::string::npos;
    });
  };
  EXPECT_TRUE(f.wait_for(complained));
  EXPECT_EQ(nodes_of(f.recovered()).size(), 1U) << "the file is whole all the while";
  EXPECT_TRUE(f.recovered().warnings.empty());
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_TRUE(f.wait_for([&] { return nodes_of(f.recovered()).size() == 2; }));
  EXPECT_EQ(f.recovered().clock, 8U);
  f.close();
}

TEST(Snapshot, ANameThatWouldBreakTheLinesIsLeftOut) {
  SnapshotFixture f;
  f.open();
  f.member(joined("two\nlines"));
  f.member(joined("name with spaces"));
  f.close();
  EXPECT_EQ(nodes_of(f.recovered()), (Nodes{{"name with spaces", "127.0.0.1:7946"}}));
  EXPECT_TRUE(f.recovered().warnings.empty());
}

TEST(Snapshot, CannotBeOpened) {
  SnapshotFixture f;
  f.options.path = f.folder.path("no/such/folder");
  const auto opened = Snapshot::open(f.loop, f.log, f.members, f.options);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error(),
            "failed to open snapshot: open " + f.options.path + ": no such file or directory");
}

}  // namespace
}  // namespace starling::agent
