#include "io/open.h"

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <string_view>

namespace starling::io {

namespace {

// What containers do: io_uring_setup is answered with EPERM from here on, in this process.
bool forbid_uring() {
  std::array<sock_filter, 4> program{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_io_uring_setup, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

PortOptions loopback(PortChoice choice) {
  return {.bind = {IpAddress::v4(127, 0, 0, 1), 0}, .choice = choice};
}

TEST(Open, SocketsWhenAskedFor) {
  const auto opened = open_ports(loopback(PortChoice::sockets));
  ASSERT_TRUE(opened) << opened.error();
  EXPECT_EQ(opened->ports->name(), "sockets");
  EXPECT_EQ(opened->reason, "sockets: asked for");
  EXPECT_NE(opened->ports->bound().port, 0);
}

TEST(Open, AutomaticAlwaysOpensAndSaysWhatItTook) {
  const auto opened = open_ports(loopback(PortChoice::automatic));
  ASSERT_TRUE(opened) << opened.error();
  EXPECT_TRUE(opened->reason.starts_with(std::string(opened->ports->name()) + ": "))
      << opened->reason;
}

TEST(Open, AContainerThatForbidsUringGetsSockets) {
  enum Verdict { fine = 0, no_filter = 10, wrong = 11 };
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (!forbid_uring()) ::_exit(no_filter);
    constexpr std::string_view why =
        "io_uring_setup: operation not permitted (switched off by the system or the container)";
    const auto automatic = open_ports(loopback(PortChoice::automatic));
    const auto uring = open_ports(loopback(PortChoice::uring));
    const bool right = automatic && automatic->ports->name() == "sockets" &&
                       automatic->reason == "sockets: " + std::string(why) && !uring &&
                       uring.error() == why;
    ::_exit(right ? fine : wrong);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == no_filter) GTEST_SKIP() << "this system has no seccomp filters";
  EXPECT_EQ(WEXITSTATUS(status), fine);
}

TEST(Open, ATakenAddressIsAnErrorForEveryChoice) {
  const auto first = open_ports(loopback(PortChoice::sockets));
  ASSERT_TRUE(first);
  for (const PortChoice choice : {PortChoice::sockets, PortChoice::automatic}) {
    PortOptions same = loopback(choice);
    same.bind = first->ports->bound();
    const auto second = open_ports(same);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error(), "bind tcp " + to_text(same.bind) + ": address already in use");
  }
}

}  // namespace

}  // namespace starling::io
