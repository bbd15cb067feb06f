#include "agent/event_handlers.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace starling::agent {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::vector<EventScript> scripts(std::initializer_list<std::string> specs) {
  std::vector<EventScript> all;
  for (const std::string& spec : specs) {
    const auto parsed = parse_event_script(spec);
    EXPECT_TRUE(parsed);
    all.insert(all.end(), parsed->begin(), parsed->end());
  }
  return all;
}

HandlerEvent user(std::string name, std::string payload = "") {
  HandlerEvent event;
  event.kind = HandlerEvent::Kind::user;
  event.name = std::move(name);
  event.payload = std::move(payload);
  event.time = LamportTime{7};
  return event;
}

class EventHandlersTest : public testing::Test {
 protected:
  EventHandlersTest() {
    std::string name = testing::TempDir() + "handlersXXXXXX";
    folder_ = ::mkdtemp(name.data());
    ::setenv("HANDLER_FOLDER", folder_.c_str(), 1);
    options_.limits.term_grace = milliseconds(300);
    options_.limits.stop_grace = milliseconds(200);
    options_.on_report = [this](const HandlerReport& report) {
      const std::lock_guard lock(mutex_);
      reports_.push_back(report);
    };
    options_.on_slow = [this](const std::string& command) {
      const std::lock_guard lock(mutex_);
      slow_.push_back(command);
    };
  }
  ~EventHandlersTest() override {
    std::filesystem::remove_all(folder_);
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
    EXPECT_EQ(errno, ECHILD) << "a child is left, running or as a zombie";
  }

  std::vector<HandlerReport> wait_for_reports(std::size_t count) {
    for (int i = 0; i < 2000; ++i) {
      {
        const std::lock_guard lock(mutex_);
        if (reports_.size() >= count) return reports_;
      }
      std::this_thread::sleep_for(milliseconds(5));
    }
    ADD_FAILURE() << "no " << count << " reports within 10 s";
    const std::lock_guard lock(mutex_);
    return reports_;
  }
  std::string read(const std::string& file) const {
    std::ifstream in(folder_ + "/" + file);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  }

  EventHandlers::Options options_;
  HandlerSelf self_{"me", {{"role", "db"}}};
  std::string folder_;
  std::mutex mutex_;
  std::vector<HandlerReport> reports_;
  std::vector<std::string> slow_;
};

TEST_F(EventHandlersTest, RunsARealScriptWithInputAndEnvironment) {
  EventHandlers handlers(options_);
  handlers.set_scripts(scripts(
      {"user:deploy=cat; echo $SERF_EVENT $SERF_USER_EVENT $SERF_USER_LTIME $SERF_SELF_NAME "
       "$SERF_SELF_ROLE $SERF_TAG_ROLE; test -n \"$PATH\" && echo inherited"}));
  EXPECT_TRUE(handlers.submit(user("deploy", "payload"), self_));
  EXPECT_TRUE(handlers.submit(user("other", "payload"), self_));
  const auto reports = wait_for_reports(1);
  EXPECT_TRUE(reports[0].result.succeeded());
  EXPECT_EQ(reports[0].result.output, "payload\nuser deploy 7 me db db\ninherited\n");
  EXPECT_FALSE(reports[0].responds);
  EXPECT_EQ(reports[0].event->name, "deploy");
}

TEST_F(EventHandlersTest, RunsEventsAndScriptsInOrderOneAtATime) {
  EventHandlers handlers(options_);
  handlers.set_scripts(
      scripts({"user=sleep 0.05; echo first $SERF_USER_EVENT >> $HANDLER_FOLDER/log",
               "user=echo second $SERF_USER_EVENT >> $HANDLER_FOLDER/log"}));
  for (const char* name : {"a", "b", "c"}) EXPECT_TRUE(handlers.submit(user(name), self_));
  wait_for_reports(6);
  EXPECT_EQ(read("log"), "first a\nsecond a\nfirst b\nsecond b\nfirst c\nsecond c\n");
}

TEST_F(EventHandlersTest, MemberEventsMatchByKind) {
  EventHandlers handlers(options_);
  handlers.set_scripts(
      scripts({"member-failed=echo failed", "member-join,user=cat", "*=echo all"}));
  HandlerEvent event;
  event.change = MemberEventKind::join;
  event.members.resize(1);
  event.members[0].name = "n1";
  event.members[0].address = IpAddress::v4(10, 1, 2, 3);
  EXPECT_TRUE(handlers.submit(event, self_));
  const auto reports = wait_for_reports(2);
  ASSERT_EQ(reports.size(), 2u);
  EXPECT_EQ(reports[0].result.output, "n1\t10.1.2.3\t\t\n");
  EXPECT_EQ(reports[1].command, "echo all");
}

TEST_F(EventHandlersTest, OnlyTheFirstAnswerToAQueryResponds) {
  EventHandlers handlers(options_);
  handlers.set_scripts(scripts({"query:load=echo failed; exit 1", "query:load=true",
                                "query:load=echo one", "query=echo two"}));
  HandlerEvent event = user("load");
  event.kind = HandlerEvent::Kind::query;
  event.query = 99;
  EXPECT_TRUE(handlers.submit(event, self_));
  const auto reports = wait_for_reports(4);
  std::vector<bool> responds;
  for (const HandlerReport& report : reports) {
    responds.push_back(report.responds);
    EXPECT_EQ(report.event->query, 99u);
  }
  EXPECT_EQ(responds, (std::vector<bool>{false, false, true, false}));
  EXPECT_EQ(reports[2].result.output, "one\n");
}

TEST_F(EventHandlersTest, AReloadCountsFromTheNextEventOn) {
  EventHandlers handlers(options_);
  handlers.set_scripts(scripts({"user=echo old"}));
  EXPECT_TRUE(handlers.submit(user("a"), self_));
  handlers.set_scripts(scripts({"user=echo new"}));
  EXPECT_TRUE(handlers.submit(user("b"), self_));
  const auto reports = wait_for_reports(2);
  EXPECT_EQ(reports[0].result.output, "old\n");
  EXPECT_EQ(reports[1].result.output, "new\n");
}

TEST_F(EventHandlersTest, AFullQueueDropsAndCounts) {
  options_.events_max = 3;
  EventHandlers handlers(options_);
  handlers.set_scripts(scripts({"user:slow=sleep 30", "user:fast=true"}));
  EXPECT_TRUE(handlers.submit(user("slow"), self_));
  int refused = 0;
  for (int i = 0; i < 10; ++i) refused += handlers.submit(user("fast"), self_) ? 0 : 1;
  EXPECT_GE(refused, 7);  // 8 when the worker has not taken the slow one yet
  EXPECT_EQ(handlers.dropped(), static_cast<std::uint64_t>(refused));
  EXPECT_TRUE(handlers.submit(user("nobody wants it"), self_));
  EXPECT_LE(handlers.pending(), 4u);
}

TEST_F(EventHandlersTest, StopsWithinABoundWhateverRuns) {
  EventHandlers handlers(options_);
  handlers.set_scripts(scripts({"user=trap '' TERM; while :; do sleep 1; done"}));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(handlers.submit(user("x"), self_));
  std::this_thread::sleep_for(milliseconds(100));
  const auto before = std::chrono::steady_clock::now();
  handlers.stop();
  EXPECT_LT(std::chrono::steady_clock::now() - before, seconds(5));
  handlers.stop();
  const auto reports = wait_for_reports(1);
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_EQ(reports[0].result.end, ScriptResult::End::stopped);
  EXPECT_FALSE(handlers.submit(user("late"), self_));
}

TEST_F(EventHandlersTest, SlowAndEndlessScriptsAreReported) {
  options_.limits.slow_after = milliseconds(50);
  options_.limits.time_limit = milliseconds(200);
  EventHandlers handlers(options_);
  handlers.set_scripts(scripts({"user=sleep 30", "user=echo next"}));
  EXPECT_TRUE(handlers.submit(user("x"), self_));
  const auto reports = wait_for_reports(2);
  EXPECT_EQ(reports[0].result.end, ScriptResult::End::timed_out);
  EXPECT_EQ(reports[1].result.output, "next\n");
  const std::lock_guard lock(mutex_);
  EXPECT_EQ(slow_, std::vector<std::string>{"sleep 30"});
}

}  // namespace
}  // namespace starling::agent
