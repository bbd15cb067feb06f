#include "io/dpdk/eal.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <functional>

namespace starling::io {

namespace {

using Words = std::vector<std::string>;

TEST(SplitArguments, AsAShellDoes) {
  const std::vector<std::pair<std::string_view, Words>> cases{
      {"", {}},
      {"  ", {}},
      {"-m 64", {"-m", "64"}},
      {" a\tb\n c ", {"a", "b", "c"}},
      {"'a b' \"c d\"", {"a b", "c d"}},
      {"--vdev='net_tap0,iface=a b'", {"--vdev=net_tap0,iface=a b"}},
      {R"(a\ b)", {"a b"}},
      {R"("a\"b\\c\d")", {R"(a"b\c\d)"}},
      {R"('a\b"c')", {R"(a\b"c)"}},
      {"'' \"\"", {"", ""}},
      {"a''b", {"ab"}},
      {"\"it's\"", {"it's"}},
  };
  for (const auto& [text, words] : cases) {
    const auto split = split_arguments(text);
    ASSERT_TRUE(split) << text;
    EXPECT_EQ(*split, words) << text;
  }
}

TEST(SplitArguments, SaysWhatIsNotClosed) {
  EXPECT_EQ(split_arguments("a 'b").error(), "' is not closed");
  EXPECT_EQ(split_arguments("\"b\\\"").error(), "\" is not closed");
  EXPECT_EQ(split_arguments("b\\").error(), "nothing follows the last \\");
}

bool has(const Words& words, const std::string& word) {
  return std::ranges::find(words, word) != words.end();
}

TEST(EalArguments, DefaultsDependOnHugePages) {
  const Words huge = eal_arguments({}, true);
  EXPECT_TRUE(has(huge, "--in-memory") && has(huge, "--no-pci") && has(huge, "--no-telemetry"));
  EXPECT_FALSE(has(huge, "--no-huge") || has(huge, "--no-shconf"));
  const Words ordinary = eal_arguments({}, false);
  EXPECT_TRUE(has(ordinary, "--no-huge") && has(ordinary, "--no-shconf"));
  EXPECT_FALSE(has(ordinary, "--in-memory"));
}

TEST(EalArguments, TheUserDecidesFirst) {
  EXPECT_FALSE(has(eal_arguments({"-a", "0000:01:00.0"}, true), "--no-pci"));
  EXPECT_FALSE(has(eal_arguments({"--allow=0000:01:00.0"}, true), "--no-pci"));
  EXPECT_FALSE(has(eal_arguments({"--no-huge"}, true), "--in-memory"));
  EXPECT_FALSE(has(eal_arguments({"--in-memory"}, false), "--no-huge"));
  EXPECT_FALSE(has(eal_arguments({"--file-prefix=a"}, true), "--in-memory"));
  EXPECT_EQ(std::ranges::count(eal_arguments({"--no-pci"}, true), "--no-pci"), 1);
  EXPECT_EQ(std::ranges::count(eal_arguments({"-m", "32"}, true), "-m"), 1);
  EXPECT_FALSE(has(eal_arguments({"-m32"}, true), "-m"));
  for (const std::string cores : {"-l0", "--lcores=0", "-c1"}) {
    EXPECT_FALSE(has(eal_arguments({cores}, true), "-l")) << cores;
  }
  // Ours come first, so that a repeated option is the user's.
  EXPECT_EQ(eal_arguments({"--log-level=8"}, true).back(), "--log-level=8");
}

TEST(EalFailure, LeavesProgressOut) {
  EXPECT_EQ(eal_failure("EAL: Detected CPU lcores: 2\nEAL: Detected NUMA nodes: 1\n"), "");
  EXPECT_EQ(eal_failure("starling: unrecognized option '--x'\nEAL: Detected CPU lcores: 2\n"
                        "EAL: Invalid 'command line' arguments.\n"
                        "EAL: Invalid 'command line' arguments.\n"),
            "unrecognized option '--x'; Invalid 'command line' arguments.");
  EXPECT_EQ(eal_failure("no end"), "no end");
}

// EAL can be started once in a process, so each start has one of its own.
int in_a_child(const std::function<bool()>& succeeds) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(succeeds() ? 0 : 1);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Eal, NamesTheArgumentThatItRefuses) {
  EXPECT_EQ(in_a_child([] {
              const auto started = start_eal("--no-huge --bogus");
              return !started && started.error().find("--bogus") != std::string::npos &&
                     started.error().find("unrecognized option") != std::string::npos;
            }),
            0);
  EXPECT_EQ(in_a_child([] {
              const auto started = start_eal("--no-huge --vdev=net_nosuch0");
              return !started && started.error().find("\"net_nosuch0\"") != std::string::npos;
            }),
            0);
}

TEST(Eal, StartsOnceAndLeavesTheThreadItsCores) {
  EXPECT_EQ(in_a_child([] {
              cpu_set_t before, after;
              ::sched_getaffinity(0, sizeof before, &before);
              const auto first = start_eal("--no-huge");
              ::sched_getaffinity(0, sizeof after, &after);
              return first && !first->huge_pages && CPU_EQUAL(&before, &after) &&
                     start_eal("--no-huge").has_value() && !start_eal("-m 32").has_value();
            }),
            0);
}

}  // namespace

}  // namespace starling::io
