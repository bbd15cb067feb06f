#include "agent/script.h"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

namespace starling::agent {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using End = ScriptResult::End;

// Short limits, so that a test of an ending takes a fraction of a second.
ScriptLimits quick() {
  ScriptLimits limits;
  limits.time_limit = seconds(20);
  limits.term_grace = milliseconds(300);
  limits.stop_grace = milliseconds(100);
  limits.linger = milliseconds(100);
  return limits;
}

class ScriptTest : public testing::Test {
 protected:
  void SetUp() override {
    ::signal(SIGPIPE, SIG_IGN);
    before_ = open_descriptors();
  }
  void TearDown() override {
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
    EXPECT_EQ(errno, ECHILD) << "a child is left, running or as a zombie";
    EXPECT_EQ(open_descriptors(), before_);
  }
  ScriptResult run(const std::string& command, std::string input = "",
                   ScriptLimits limits = quick(), int stop_fd = -1) {
    slow_calls_ = 0;
    return run_script({command, environment_, std::move(input)}, limits, stop_fd,
                      [this] { ++slow_calls_; });
  }

  static int open_descriptors() {
    int count = 0;
    for (int fd = 0; fd < 256; ++fd) count += ::fcntl(fd, F_GETFD) != -1;
    return count;
  }
  static bool alive(pid_t pid) { return ::kill(pid, 0) == 0; }
  // The shell is gone; what it left may need a moment to be collected by init.
  static bool gone_soon(pid_t pid) {
    for (int i = 0; i < 200 && alive(pid); ++i) std::this_thread::sleep_for(milliseconds(10));
    return !alive(pid);
  }

  std::vector<std::string> environment_ = {"PATH=/usr/bin:/bin"};
  int slow_calls_ = 0;

 private:
  int before_ = 0;
};

TEST_F(ScriptTest, ReturnsOutputOfBothStreamsAndTheStatus) {
  const ScriptResult result = run("echo out; echo err >&2; exit 3");
  EXPECT_EQ(result.end, End::exited);
  EXPECT_EQ(result.status, 3);
  EXPECT_EQ(result.output, "out\nerr\n");
  EXPECT_EQ(result.output_bytes, 8u);
  EXPECT_FALSE(result.succeeded());
  EXPECT_EQ(to_text(result), "exit status 3");
  EXPECT_TRUE(run("true").succeeded());
}

TEST_F(ScriptTest, FeedsTheInputWhole) {
  std::string input;
  for (int line = 0; line < 100000; ++line) input += std::to_string(line) + "\n";
  const ScriptResult result = run("wc -c", input);
  EXPECT_TRUE(result.succeeded());
  EXPECT_EQ(std::stoul(result.output), input.size());
  EXPECT_EQ(run("cat", "short\n").output, "short\n");
  EXPECT_EQ(run("cat").output, "");
}

TEST_F(ScriptTest, DoesNotMindAScriptThatDoesNotRead) {
  const ScriptResult result = run("exec 0<&-; sleep 0.1; echo done", std::string(1 << 20, 'x'));
  EXPECT_TRUE(result.succeeded());
  EXPECT_EQ(result.output, "done\n");
}

TEST_F(ScriptTest, KeepsTheLastPartOfABigOutput) {
  const ScriptResult result =
      run("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; echo end");
  EXPECT_TRUE(result.succeeded());
  EXPECT_EQ(result.output.size(), 8192u);
  EXPECT_TRUE(result.output.ends_with("line 19999\nend\n"));
  EXPECT_GT(result.output_bytes, 100000u);
}

TEST_F(ScriptTest, EchoesWhatIsLargerThanAnyPipe) {
  const ScriptResult result = run("cat", std::string(3 << 20, 'y'));
  EXPECT_TRUE(result.succeeded());
  EXPECT_EQ(result.output_bytes, std::uint64_t{3} << 20);
}

TEST_F(ScriptTest, GivesTheEnvironmentWithTheLastOfARepeatedName) {
  environment_.push_back("A=first");
  environment_.push_back("B=x y=z");
  environment_.push_back("A=last");
  EXPECT_EQ(run("echo \"$A/$B/$HOME/\"; env | grep -c ^A=").output, "last/x y=z//\n1\n");
}

TEST_F(ScriptTest, StartsWithCleanSignalsAndDescriptors) {
  int leak[2];
  ASSERT_EQ(::pipe(leak), 0);  // without close-on-exec
  const int high = ::fcntl(leak[0], F_DUPFD, 50);
  EXPECT_EQ(run("ls /proc/self/fd | tr '\\n' ' '").output, "0 1 2 3 ");  // 3 is ls's own
  // Of the ignored signals those of the C library itself (32 and 33) do not count.
  EXPECT_EQ(
      run("grep -E 'Sig(Blk|Ign)' /proc/self/status | grep -Ev ':.0000000(000000000|180000000)$'")
          .output,
      "");
  for (const int fd : {leak[0], leak[1], high}) ::close(fd);
}

TEST_F(ScriptTest, SaysWhichSignalEndedIt) {
  const ScriptResult result = run("kill -9 $$");
  EXPECT_EQ(result.end, End::signalled);
  EXPECT_EQ(result.status, SIGKILL);
  EXPECT_EQ(to_text(result), "signal: killed");
}

TEST_F(ScriptTest, ReportsASlowScriptOnce) {
  ScriptLimits limits = quick();
  limits.slow_after = milliseconds(50);
  EXPECT_TRUE(run("sleep 0.3", "", limits).succeeded());
  EXPECT_EQ(slow_calls_, 1);
  EXPECT_TRUE(run("true", "", limits).succeeded());
  EXPECT_EQ(slow_calls_, 0);
}

TEST_F(ScriptTest, EndsAScriptAtItsTimeLimit) {
  ScriptLimits limits = quick();
  limits.time_limit = milliseconds(150);
  const ScriptResult result = run("echo before; sleep 30; echo after", "", limits);
  EXPECT_EQ(result.end, End::timed_out);
  EXPECT_EQ(result.output, "before\n");
  EXPECT_GE(result.elapsed, milliseconds(150));
  EXPECT_LT(result.elapsed, seconds(5));
  EXPECT_EQ(to_text(result), "ended at its time limit");
}

TEST_F(ScriptTest, KillsWhatIgnoresThePoliteSignal) {
  ScriptLimits limits = quick();
  limits.time_limit = milliseconds(150);
  const ScriptResult result = run("trap '' TERM; while :; do sleep 1; done", "", limits);
  EXPECT_EQ(result.end, End::timed_out);
  EXPECT_GE(result.elapsed, milliseconds(400));
  EXPECT_LT(result.elapsed, seconds(5));
}

TEST_F(ScriptTest, TakesTheWholeProcessGroupAlong) {
  ScriptLimits limits = quick();
  limits.time_limit = milliseconds(300);
  const ScriptResult result =
      run("sh -c 'trap \"\" TERM; while :; do sleep 1; done' & echo $!; wait", "", limits);
  EXPECT_EQ(result.end, End::timed_out);
  const auto child = static_cast<pid_t>(std::stol(result.output));
  EXPECT_TRUE(gone_soon(child));
}

TEST_F(ScriptTest, AnEndlessTalkerIsStoppedToo) {
  ScriptLimits limits = quick();
  limits.time_limit = milliseconds(200);
  const ScriptResult result = run("yes", "", limits);
  EXPECT_EQ(result.end, End::timed_out);
  EXPECT_EQ(result.output.size(), 8192u);
  EXPECT_LT(result.elapsed, seconds(5));
}

TEST_F(ScriptTest, DoesNotWaitForWhatTheScriptLeavesRunning) {
  const ScriptResult result = run("sleep 3 & echo $!");
  EXPECT_TRUE(result.succeeded());
  EXPECT_LT(result.elapsed, seconds(2));
  const auto left = static_cast<pid_t>(std::stol(result.output));
  EXPECT_TRUE(alive(left));
  ::kill(left, SIGKILL);
}

TEST_F(ScriptTest, HearsWhatComesShortlyAfterTheShellEnded) {
  ScriptLimits limits = quick();
  limits.linger = seconds(5);
  const ScriptResult result = run("(sleep 0.2; echo late) & echo early", "", limits);
  EXPECT_TRUE(result.succeeded());
  EXPECT_EQ(result.output, "early\nlate\n");
  EXPECT_LT(result.elapsed, seconds(4));
}

TEST_F(ScriptTest, AStopEndsItAfterAGrace) {
  const int stop_fd = ::eventfd(1, EFD_CLOEXEC);
  const ScriptResult ended = run("sleep 30", "", quick(), stop_fd);
  EXPECT_EQ(ended.end, End::stopped);
  EXPECT_LT(ended.elapsed, seconds(5));
  ScriptLimits patient = quick();
  patient.stop_grace = seconds(10);
  patient.time_limit = {};
  EXPECT_TRUE(run("sleep 0.2", "", patient, stop_fd).succeeded());
  ::close(stop_fd);
}

TEST_F(ScriptTest, RunsWithoutATimeLimit) {
  ScriptLimits limits = quick();
  limits.time_limit = {};
  EXPECT_TRUE(run("sleep 0.1", "", limits).succeeded());
}

TEST_F(ScriptTest, WorksWhenTheStandardDescriptorsAreClosed) {
  const int saved = ::dup(0);
  ::close(0);
  const ScriptResult result = run("cat", "through\n");
  ::dup2(saved, 0);
  ::close(saved);
  EXPECT_EQ(result.output, "through\n");
}

TEST_F(ScriptTest, AnUnknownCommandIsTheShellsError) {
  const ScriptResult result = run("/no/such/program");
  EXPECT_EQ(result.end, End::exited);
  EXPECT_EQ(result.status, 127);
  EXPECT_NE(result.output.find("/no/such/program"), std::string::npos);
}

}  // namespace
}  // namespace starling::agent
