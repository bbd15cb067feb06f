#include "agent/agent.h"

#include <sstream>
#include <thread>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "agent/cli/rpc_client.h"
#include "tests/agent/temporary_folder.h"

namespace starling::agent {
namespace {

using namespace std::chrono_literals;

// A port that nobody listens on at the moment, for UDP and TCP.
std::uint16_t free_port() {
  const io::File socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in here{};
  here.sin_family = AF_INET;
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(bind(socket.descriptor(), reinterpret_cast<sockaddr*>(&here), sizeof here), 0);
  socklen_t size = sizeof here;
  getsockname(socket.descriptor(), reinterpret_cast<sockaddr*>(&here), &size);
  return ntohs(here.sin_port);
}

// An agent on a thread of its own, as the command would run it.
struct RunningAgent {
  std::uint16_t port = free_port();
  std::string bind = "127.0.0.1:" + std::to_string(port);
  std::string rpc = "127.0.0.1:" + std::to_string(free_port());
  std::ostringstream out;  // look at it only after finish()
  int status = -1;
  std::thread thread;

  explicit RunningAgent(const std::string& name, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"-node",     name,      "-bind",      bind,
                                       "-rpc-addr", rpc,       "-profile",   "local",
                                       "-io",       "sockets", "-log-level", "debug"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    thread = std::thread([this, arguments] {
      auto loaded = load_config(arguments);
      if (!loaded) {
        out << loaded.error().text;
        return;
      }
      Agent agent(std::move(*loaded), arguments, out);
      status = agent.run();
    });
  }
  ~RunningAgent() {
    if (!thread.joinable()) return;
    if (auto client = connect()) static_cast<void>(client->leave());
    thread.join();
  }
  std::optional<cli::RpcClient> connect() {
    for (int i = 0; i < 500; ++i) {
      auto client = cli::RpcClient::connect(rpc, "");
      if (client) return std::move(*client);
      std::this_thread::sleep_for(10ms);
    }
    ADD_FAILURE() << "no RPC at " << rpc;
    return std::nullopt;
  }
  std::string finish() {
    thread.join();
    return out.str();
  }
};

std::string statuses(cli::RpcClient& client) {
  std::string text;
  EXPECT_TRUE(client.members_filtered({}, [&](const MemberInfo& member) {
    text += (text.empty() ? "" : " ") + member.name + ":" + member.status;
  }));
  return text;
}

bool becomes(cli::RpcClient& client, const std::string& wanted) {
  for (int i = 0; i < 500; ++i) {
    if (statuses(client) == wanted) return true;
    std::this_thread::sleep_for(20ms);
  }
  ADD_FAILURE() << statuses(client) << " is not " << wanted;
  return false;
}

TEST(Agent, TwoFormAClusterAndLeave) {
  const TemporaryFolder folder;
  const std::string script =
      folder.write("h.sh", "echo $SERF_EVENT $SERF_USER_EVENT >> " + folder.path("seen") + "\n");
  RunningAgent a("a", {"-tag", "role=web", "-event-handler", "user:now=sh " + script});
  auto to_a = a.connect();
  ASSERT_TRUE(to_a);
  RunningAgent b("b", {"-join", a.bind});
  auto to_b = b.connect();
  ASSERT_TRUE(to_b);
  EXPECT_TRUE(becomes(*to_a, "a:alive b:alive"));
  EXPECT_TRUE(becomes(*to_b, "a:alive b:alive"));

  // An event sent at one is streamed at the other and runs the first one's handler.
  ASSERT_TRUE(to_b->stream({.type = "user"}));
  ASSERT_TRUE(to_a->event({.name = "now", .payload = "x", .coalesce = false}));
  const auto record = to_b->next_record(-1);
  ASSERT_TRUE(record && *record);
  EXPECT_NE((*record)->body.find("now"), std::string::npos);

  // Tags travel.
  ASSERT_TRUE(to_a->tags({.tags = {{"x", "1"}}, .delete_tags = {"role"}}));
  bool seen = false;
  for (int i = 0; i < 500 && !seen; ++i) {
    ASSERT_TRUE(
        to_b->members_filtered({.name = "a", .status = "", .tags = {{"x", "1"}, {"role", ""}}},
                               [&](const MemberInfo&) { seen = true; }));
    if (!seen) std::this_thread::sleep_for(10ms);
  }
  EXPECT_TRUE(seen);
  EXPECT_EQ(to_a->stats()->at("tags"), (Tags{{"x", "1"}}));
  EXPECT_EQ(to_a->stats()->at("serf").at("members"), "2");

  for (int i = 0; i < 200 && folder.read("seen").empty(); ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(folder.read("seen"), "user now\n");

  ASSERT_TRUE(to_b->leave());
  const std::string printed = b.finish();
  EXPECT_EQ(b.status, 0);
  EXPECT_TRUE(
      printed.starts_with("==> Starting starling agent...\n"
                          "==> Starting starling agent RPC...\n"
                          "==> starling agent running!\n"
                          "                      Node name: 'b'\n"
                          "                      Bind addr: '" +
                          b.bind +
                          "'\n"
                          "                       RPC addr: '" +
                          b.rpc +
                          "'\n"
                          "                      Encrypted: false\n"
                          "                       Snapshot: false\n"
                          "                        Profile: local\n"
                          "    Message Compression Enabled: true\n"
                          "                         Memory: 16384 members max, "))
      << printed;
  EXPECT_NE(printed.find("==> Joining cluster...(replay: false)\n"
                         "    Join completed. Synced with 1 initial agents\n"
                         "\n==> Log data will now stream in as it occurs:\n\n"),
            std::string::npos)
      << printed;
  EXPECT_NE(printed.find("[INFO] serf: EventMemberJoin: b 127.0.0.1"), std::string::npos);
  EXPECT_TRUE(becomes(*to_a, "a:alive b:left"));
}

TEST(Agent, WrongRequestsAreAnsweredAndTheAgentStays) {
  RunningAgent a("a");
  auto client = a.connect();
  ASSERT_TRUE(client);
  EXPECT_EQ(client->tags({.tags = {{"x", std::string(600, 'y')}}, .delete_tags = {}}).error(),
            "Encoded length of tags exceeds limit of 512 bytes");
  EXPECT_EQ(
      client->event({.name = "e", .payload = std::string(600, 'x'), .coalesce = true}).error(),
      "user event exceeds configured limit of 512 bytes before encoding");
  EXPECT_EQ(
      client->event({.name = "e", .payload = std::string(20000, 'x'), .coalesce = true}).error(),
      "user event exceeds configured limit of 512 bytes before encoding");
  EXPECT_EQ(client->join({.existing = {"127.0.0.1:1"}, .replay = false}).error(),
            "1 error occurred:\n\t* Failed to join 127.0.0.1: dial tcp 127.0.0.1:1: connect: "
            "connection refused\n\n");
  EXPECT_TRUE(client->force_leave({.node = "nobody", .prune = false}));
  EXPECT_EQ(statuses(*client), "a:alive");
}

TEST(Agent, StartErrorsSayWhatAndWhere) {
  RunningAgent first("a");
  ASSERT_TRUE(first.connect());
  const auto error_of = [](std::vector<std::string> arguments) {
    std::ostringstream out;
    auto loaded = load_config(arguments);
    EXPECT_TRUE(loaded) << loaded.error().text;
    Agent agent(std::move(*loaded), arguments, out);
    EXPECT_EQ(agent.run(), 1);
    const std::string text = out.str();
    const std::size_t last = text.rfind("==> ");
    return text.substr(last);
  };
  const std::string other_rpc = "127.0.0.1:" + std::to_string(free_port());
  const std::string other_bind = "127.0.0.1:" + std::to_string(free_port());
  const std::string busy = error_of({"-node", "b", "-bind", first.bind, "-rpc-addr", other_rpc});
  EXPECT_TRUE(busy.starts_with("==> Failed to start the starling agent: ")) << busy;
  EXPECT_NE(busy.find(first.bind), std::string::npos) << busy;
  EXPECT_NE(busy.find("address already in use"), std::string::npos) << busy;
  EXPECT_EQ(error_of({"-node", "b", "-bind", other_bind, "-rpc-addr", first.rpc}),
            "==> Error starting RPC listener: listen tcp " + first.rpc +
                ": bind: address already in use\n");
  EXPECT_EQ(error_of({"-node", "b", "-bind", other_bind, "-keyring-file", "/nope"}),
            "==> Failed to setup the starling agent: stat /nope: no such file or directory\n");
  EXPECT_EQ(error_of({"-node", "b", "-bind", other_bind, "-encrypt", "MTIz"}),
            "==> Failed to start the starling agent: key size must be 16, 24 or 32 bytes\n");
  EXPECT_EQ(error_of({"-node", "b", "-bind", other_bind, "-protocol", "9"}),
            "==> Failed to start the starling agent: Protocol version '9' too high. Must be in "
            "range: [2, 5]\n");
  EXPECT_EQ(error_of({"-node", "b", "-bind", other_bind, "-tag", "x=" + std::string(600, 'y')}),
            "==> Failed to start the starling agent: Encoded length of tags exceeds limit of 512 "
            "bytes\n");
  EXPECT_EQ(error_of({"-node", "b", "-bind", other_bind, "-host-members", "/nope"}),
            "==> Failed to setup the starling agent: host_members: open /nope: no such file or "
            "directory\n");
  EXPECT_EQ(error_of({"-node", "b", "-bind", other_bind, "-snapshot", "/nope/s"}),
            "==> Failed to start the starling agent: failed to open snapshot: open /nope/s: no "
            "such file or directory\n");
  EXPECT_EQ(error_of({"-node", "x-0002", "-bind", other_bind, "-host-members", "x:3"}),
            "==> Failed to start the starling agent: hosted member \"x-0002\": this is the name of "
            "the agent itself\n");
  EXPECT_EQ(
      error_of({"-node", "b", "-bind", other_bind, "-host-members", "x:3", "-hosted-max", "3"}),
      "==> Failed to start the starling agent: hosted_max is 3: too few for 3 hosted members "
      "and the agent's own\n");
  EXPECT_EQ(
      error_of({"-node", "b", "-bind", other_bind, "-host-members", "x:30000"}),
      "==> Failed to start the starling agent: members_max is 16384: too few for 30000 hosted "
      "members and the agent's own\n");
  EXPECT_EQ(
      error_of({"-node", "b", "-bind", other_bind, "-rpc-addr", other_rpc, "-join", "127.0.0.1:1"}),
      "==> 1 error occurred:\n\t* Failed to join 127.0.0.1: dial tcp 127.0.0.1:1: connect: "
      "connection refused\n\n\n");
}

// Hosted members are members to everybody else; they come, change and go one by one, and with the
// agent.
TEST(Agent, HostsMembers) {
  const TemporaryFolder folder;
  const std::string file =
      folder.write("hosted", R"([{"name":"h1","tags":{"k":"v"}},{"name":"h2"}])");
  RunningAgent a("a", {"-host-members", file});
  auto to_a = a.connect();
  ASSERT_TRUE(to_a);
  RunningAgent b("b", {"-join", a.bind});
  auto to_b = b.connect();
  ASSERT_TRUE(to_b);
  EXPECT_TRUE(becomes(*to_b, "a:alive b:alive h1:alive h2:alive"));

  EXPECT_TRUE(to_a->host_member({.name = "h3", .tags = {{"x", "y"}}, .advertise = ""}));
  EXPECT_TRUE(becomes(*to_b, "a:alive b:alive h1:alive h2:alive h3:alive"));
  EXPECT_EQ(to_a->host_member({.name = "b", .tags = {}, .advertise = ""}).error(),
            "another member is alive under this name");
  EXPECT_TRUE(to_a->member_tags({.member = "h1", .tags = {{"n", "1"}}, .delete_tags = {"k"}}));
  EXPECT_TRUE(to_a->member_tags({.member = "a", .tags = {{"own", "1"}}, .delete_tags = {}}));
  std::vector<std::string> hosted;
  EXPECT_TRUE(to_a->hosted([&](const MemberInfo& member) {
    hosted.push_back(member.name + std::to_string(member.tags.size()));
    EXPECT_EQ(member.tags.contains("k"), false);
  }));
  EXPECT_EQ(hosted, (std::vector<std::string>{"h11", "h20", "h31"}));
  EXPECT_EQ(to_a->stats()->at("tags"), (Tags{{"own", "1"}}));
  EXPECT_EQ(to_a->stats()->at("starling").at("hosted"), "4");

  EXPECT_TRUE(to_a->unhost_member({.name = "h2"}));
  EXPECT_TRUE(becomes(*to_b, "a:alive b:alive h1:alive h2:left h3:alive"));
  ASSERT_TRUE(to_a->leave());
  EXPECT_TRUE(becomes(*to_b, "a:left b:alive h1:left h2:left h3:left"));
  EXPECT_NE(a.finish().find("\n                 Hosted members: 2\n"), std::string::npos);
}

// Through its snapshot alone an agent finds its cluster again, above its earlier incarnation, and
// does not see an event twice.
TEST(Agent, ASnapshotSurvivesARestart) {
  const TemporaryFolder folder;
  const std::string path = folder.path("snapshot");
  RunningAgent a("a");
  auto to_a = a.connect();
  ASSERT_TRUE(to_a);
  std::string bind;
  {
    RunningAgent b("b", {"-snapshot", path, "-join", a.bind});
    bind = b.bind;
    auto to_b = b.connect();
    ASSERT_TRUE(to_b);
    EXPECT_TRUE(becomes(*to_b, "a:alive b:alive"));  // older events would not be shown
    EXPECT_TRUE(becomes(*to_a, "a:alive b:alive"));
    ASSERT_TRUE(to_b->stream({.type = "user"}));
    ASSERT_TRUE(to_a->event({.name = "once", .payload = "x", .coalesce = false}));
    const auto record = to_b->next_record(-1);
    ASSERT_TRUE(record && *record);
    ASSERT_TRUE(to_b->leave());
    EXPECT_NE(b.finish().find("                       Snapshot: true\n"), std::string::npos);
  }
  const std::string text = folder.read("snapshot");
  EXPECT_NE(text.find("alive: a " + a.bind + "\n"), std::string::npos) << text;
  EXPECT_NE(text.find("event-clock: 1\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\nleave\n"), std::string::npos) << text;
  EXPECT_TRUE(becomes(*to_a, "a:alive b:left"));

  RunningAgent b("b", {"-snapshot", path, "-rejoin", "-bind", bind});
  auto to_b = b.connect();
  ASSERT_TRUE(to_b);
  EXPECT_TRUE(becomes(*to_b, "a:alive b:alive"));
  EXPECT_TRUE(becomes(*to_a, "a:alive b:alive"));
  const auto stats = to_b->stats();
  ASSERT_TRUE(stats);
  EXPECT_GT(std::stoul(stats->at("starling").at("incarnation")), 64U);
  EXPECT_EQ(stats->at("starling").at("user_events"), "0");
  EXPECT_EQ(stats->at("serf").at("coordinate_resets"), "0");

  // Both know where they stand.
  bool known = false;
  for (int i = 0; i < 500 && !known; ++i) {
    const auto coordinate = to_b->coordinate({.node = "a"});
    ASSERT_TRUE(coordinate);
    known = coordinate->has_value();
    if (!known) std::this_thread::sleep_for(20ms);
  }
  EXPECT_TRUE(known);
  EXPECT_TRUE(to_b->coordinate({.node = "b"})->has_value());
  EXPECT_FALSE(to_b->coordinate({.node = "nobody"})->has_value());
}

TEST(Agent, TagsFileSurvivesARestart) {
  const TemporaryFolder folder;
  const std::string path = folder.path("tags.json");
  {
    RunningAgent a("a", {"-tags-file", path});
    auto client = a.connect();
    ASSERT_TRUE(client);
    ASSERT_TRUE(client->tags({.tags = {{"k", "v"}}, .delete_tags = {}}));
  }
  EXPECT_EQ(folder.read("tags.json"), "{\n  \"k\": \"v\"\n}");
  RunningAgent a("a", {"-tags-file", path});
  auto client = a.connect();
  ASSERT_TRUE(client);
  EXPECT_EQ(client->stats()->at("tags"), (Tags{{"k", "v"}}));
}

}  // namespace
}  // namespace starling::agent
