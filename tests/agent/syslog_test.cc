#include "agent/syslog.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <regex>

#include "tests/agent/temporary_folder.h"

namespace starling::agent {
namespace {

// A log daemon's socket.
class Daemon {
 public:
  explicit Daemon(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(bind(socket_.descriptor(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  std::string take() {
    std::array<char, 4096> room;
    const ssize_t count = recv(socket_.descriptor(), room.data(), room.size(), MSG_DONTWAIT);
    return count < 0 ? "" : std::string(room.data(), static_cast<std::size_t>(count));
  }

 private:
  io::File socket_;
};

TEST(Syslog, FacilitiesAndSeverities) {
  EXPECT_EQ(syslog_facility_from("LOCAL0"), 16);
  EXPECT_EQ(syslog_facility_from("daemon"), 3);
  EXPECT_FALSE(syslog_facility_from("LOCAL8"));
  EXPECT_EQ(syslog_severity(LogLevel::trace), 7);
  EXPECT_EQ(syslog_severity(LogLevel::debug), 6);
  EXPECT_EQ(syslog_severity(LogLevel::info), 5);
  EXPECT_EQ(syslog_severity(LogLevel::warn), 4);
  EXPECT_EQ(syslog_severity(LogLevel::err), 3);
}

TEST(Syslog, LinesArriveWithTagAndPriority) {
  const TemporaryFolder folder;
  Daemon daemon(folder.path("log"));
  auto syslog = Syslog::open("LOCAL3", {folder.path("nothing"), folder.path("log")});
  ASSERT_TRUE(syslog) << syslog.error();
  syslog->write({LogLevel::warn, "2026/01/02 03:04:05 [WARN] agent: [x] y"});
  const std::string got = daemon.take();
  EXPECT_TRUE(std::regex_match(
      got,
      std::regex("<156>[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} serf\\[[0-9]+\\]: agent: \\[x\\] y")))
      << got;
  EXPECT_EQ(syslog->lost(), 0U);
}

TEST(Syslog, ADaemonThatIsStartedAnewIsFoundAgain) {
  const TemporaryFolder folder;
  auto daemon = std::make_unique<Daemon>(folder.path("log"));
  auto syslog = Syslog::open("USER", {folder.path("log")});
  ASSERT_TRUE(syslog);
  daemon.reset();
  std::filesystem::remove(folder.path("log"));
  syslog->write({LogLevel::info, "t [INFO] one"});
  EXPECT_EQ(syslog->lost(), 1U);
  Daemon again(folder.path("log"));
  syslog->write({LogLevel::info, "t [INFO] two"});
  EXPECT_TRUE(again.take().ends_with(": two"));
  EXPECT_EQ(syslog->lost(), 1U);
}

TEST(Syslog, Errors) {
  EXPECT_EQ(Syslog::open("LOCAL0", {"/nonexistent"}).error(), "Unix syslog delivery error");
  EXPECT_EQ(Syslog::open("X", {}).error(), "invalid syslog facility: X");
}

}  // namespace
}  // namespace starling::agent
