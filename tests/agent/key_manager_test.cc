// One real engine that asks itself over loopback sockets; whole clusters are in tests/interop.
#include "agent/key_manager.h"

#include <gtest/gtest.h>

#include "agent/command_error.h"
#include "agent/go_text.h"
#include "agent/keyring_file.h"
#include "tests/agent/engine_fixture.h"
#include "tests/agent/temporary_folder.h"

namespace starling::agent {
namespace {

std::string base64_key(char fill, std::size_t size = 16) {
  return base64_encode(std::string(size, fill));
}

struct Cluster {
  EngineFixture fixture;
  Log log{LogLevel::err, [](std::string_view) {}};
  MembersMirror members;
  std::unique_ptr<QueryDesk> desk;
  std::unique_ptr<KeyManager> manager;

  explicit Cluster(Keyring keyring, std::string file = "")
      : fixture("me", HostedByFixture{.keyring = keyring}) {
    desk = std::make_unique<QueryDesk>(*fixture.engine, members, log,
                                       QueryDesk::Options{.own_name = "me"}, [](SeenQuery) {});
    fixture.on_event = [this](const Event& event) {
      if (event.kind == Event::Kind::member) return members.apply(event);
      desk->on_event(event);
    };
    manager = std::make_unique<KeyManager>(
        *desk, members, log,
        [this](KeyChange change, const AesKey& key, KeyManager::Applied done) {
          OwnedCommand command;
          command.command.kind = change == KeyChange::install ? Command::Kind::install_key
                                 : change == KeyChange::use   ? Command::Kind::use_key
                                                              : Command::Kind::remove_key;
          command.payload = as_text(key.bytes());
          fixture.engine->send(std::move(command), [done](const Event& answer) {
            done(command_error(answer, "timed out"));
          });
        },
        KeyManager::Options{
            .own_name = "me", .keyring = std::move(keyring), .keyring_file = std::move(file)});
    EXPECT_TRUE(fixture.run_until([&] { return members.size() == 1; }));
  }
  struct Answer {
    KeyOutcome outcome;
    std::string error = "no answer";
  };
  Answer wait(const std::function<void(KeyManager::Done)>& ask) {
    Answer answer;
    bool done = false;
    ask([&](const KeyOutcome& outcome, const std::string& error) {
      answer = {outcome, error};
      done = true;
    });
    EXPECT_TRUE(fixture.run_until([&] { return done; }));
    return answer;
  }
  Answer change(KeyChange change, const std::string& key) {
    return wait([&](KeyManager::Done done) { manager->change(change, key, std::move(done)); });
  }
  Answer list() {
    return wait([&](KeyManager::Done done) { manager->list(std::move(done)); });
  }
};

Keyring ring_of(std::initializer_list<std::string> keys) {
  Keyring ring;
  for (const std::string& key : keys) EXPECT_TRUE(ring.add(*decode_key(key)).has_value());
  return ring;
}

TEST(KeyManager, RotatesAndWritesTheFile) {
  const TemporaryFolder folder;
  const std::string file = folder.path("ring"), old = base64_key('a'), fresh = base64_key('b', 32);
  Cluster cluster(ring_of({old}), file);
  const auto installed = cluster.change(KeyChange::install, fresh);
  EXPECT_EQ(installed.error, "");
  EXPECT_EQ(installed.outcome.num_nodes, 1U);
  EXPECT_EQ(installed.outcome.num_resp, 1U);
  EXPECT_FALSE(installed.outcome.keys);
  EXPECT_EQ(folder.read("ring"), "[\n  \"" + old + "\",\n  \"" + fresh + "\"\n]");

  const auto refused = cluster.change(KeyChange::remove, old);
  EXPECT_EQ(refused.error, "1/1 nodes reported failure");
  EXPECT_EQ(refused.outcome.messages, (Tags{{"me", "Removing the primary key is not allowed"}}));

  EXPECT_EQ(cluster.change(KeyChange::use, fresh).error, "");
  EXPECT_EQ(cluster.change(KeyChange::remove, old).error, "");
  EXPECT_EQ(folder.read("ring"), "[\n  \"" + fresh + "\"\n]");
  const auto listed = cluster.list();
  EXPECT_EQ(listed.error, "");
  ASSERT_TRUE(listed.outcome.keys);
  EXPECT_EQ(*listed.outcome.keys, (std::map<std::string, std::uint64_t>{{fresh, 1}}));
}

TEST(KeyManager, ErrorsAreSerfs) {
  Cluster cluster(ring_of({base64_key('a')}));
  EXPECT_EQ(cluster.change(KeyChange::install, "zzz").error, "illegal base64 data at input byte 0");
  const auto text = [&](KeyChange change, const std::string& key) {
    return cluster.change(change, key).outcome.messages["me"];
  };
  EXPECT_EQ(text(KeyChange::install, "MTIz"), "key size must be 16, 24 or 32 bytes");
  EXPECT_EQ(text(KeyChange::use, base64_key('x')), "Requested key is not in the keyring");
  EXPECT_EQ(cluster.change(KeyChange::remove, base64_key('x')).error, "");
}

// Go ends with a panic on the first of these.
TEST(KeyManager, HostileRequestsChangeNothing) {
  const std::string key = base64_key('a');
  Cluster cluster(ring_of({key}));
  std::uint64_t number = 1000;
  for (const std::string_view name :
       {"_serf_install-key", "_serf_use-key", "_serf_remove-key", "_serf_list-keys"}) {
    for (const std::string& payload :
         {std::string(), std::string("\x06"), std::string("\x06\xc0"),
          std::string("\x06\x81\xa3Key"), std::string("\x06\x81\xa3Key\xc6\xff\xff\xff\xff"),
          std::string("\x07\x80"),
          std::string("\x06\x81\xa3Key\xa3"
                      "abc"),
          std::string(1000, '\x91')}) {
      Event event;
      event.kind = Event::Kind::query;
      event.name = name;
      event.from = "stranger";
      event.payload = as_bytes(payload);
      event.number = ++number;
      event.deadline = EventLoop::now() + std::chrono::seconds(5);
      cluster.desk->on_event(event);
    }
  }
  const auto refused = std::ranges::count_if(cluster.log.ring(), [](const LogLine& line) {
    return line.text.find("Failed to decode key request") != std::string::npos;
  });
  EXPECT_GE(refused, 15) << "three kinds of changes, most payloads without sense";
  const auto listed = cluster.list();
  EXPECT_EQ(listed.error, "");
  ASSERT_TRUE(listed.outcome.keys);
  EXPECT_EQ(*listed.outcome.keys, (std::map<std::string, std::uint64_t>{{key, 1}}));
}

TEST(KeyManager, WithoutEncryption) {
  Cluster cluster{Keyring()};
  EXPECT_EQ(cluster.list().outcome.messages,
            (Tags{{"me", "Keyring is empty (encryption not enabled)"}}));
  EXPECT_EQ(cluster.change(KeyChange::install, base64_key('b')).outcome.messages,
            (Tags{{"me", "No keyring to modify (encryption not enabled)"}}));
}

TEST(KeyManager, ALongListIsCut) {
  Keyring ring;
  for (char fill = 'A'; fill < 'A' + 30; ++fill) {
    ASSERT_TRUE(ring.add(*decode_key(base64_key(fill, 32))).has_value());
  }
  Cluster cluster(ring);
  const auto listed = cluster.list();
  EXPECT_EQ(listed.error, "");
  EXPECT_EQ(listed.outcome.keys->size(), 17U);
  EXPECT_EQ(listed.outcome.messages,
            (Tags{{"me", "truncated key list response, showing first 17 of 30 keys"}}));
}

TEST(KeyManager, AFileThatCannotBeWrittenIsTold) {
  Cluster cluster(ring_of({base64_key('a')}), "/nonexistent/ring");
  EXPECT_EQ(cluster.change(KeyChange::install, base64_key('b')).outcome.messages,
            (Tags{{"me",
                   "Failed to write keyring file: open /nonexistent/ring: no such file or "
                   "directory"}}));
}

TEST(KeyManager, QuestionsWaitForEachOther) {
  Cluster cluster(ring_of({base64_key('a')}));
  std::vector<std::string> done;
  const auto note = [&](std::string what) {
    return [&done, what](const KeyOutcome&, const std::string& error) {
      done.push_back(what + error);
    };
  };
  cluster.manager->change(KeyChange::install, base64_key('b'), note("install"));
  cluster.manager->change(KeyChange::use, base64_key('b'), note("use"));
  cluster.manager->change(KeyChange::remove, base64_key('a'), note("remove"));
  ASSERT_TRUE(cluster.fixture.run_until([&] { return done.size() == 3; }));
  EXPECT_EQ(done, (std::vector<std::string>{"install", "use", "remove"}));
  EXPECT_EQ(cluster.manager->keyring().keys().size(), 1U);
}

}  // namespace
}  // namespace starling::agent
