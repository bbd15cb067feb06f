// The keys of a cluster while it runs: changes this node's keyring when a query says so, and asks
// all members to change theirs when a client says so.
//
// protocol/serf sections 11 and 16.3. Changes of the own keyring happen one after another, as do
// the questions of clients: two at a time could leave members with different keyrings. The keyring
// file is written after each change. The copy of the keyring here is what the engine has confirmed.
// Owned by the agent, control thread only. Bounds: changes_max of other members' changes wait,
// further ones are refused; clients wait for as long as their connection does.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "agent/engine_host.h"
#include "agent/key_change.h"
#include "agent/log.h"
#include "agent/members_mirror.h"
#include "agent/query_desk.h"
#include "agent/rpc_messages.h"
#include "wire/keyring.h"

namespace starling::agent {

class KeyManager {
 public:
  static constexpr std::size_t changes_max = 64;
  struct Options {
    std::string own_name;
    Keyring keyring;                        // what the engine was started with
    std::string keyring_file;               // empty: nothing is written
    std::size_t response_bytes_max = 1024;  // of a query's response
  };
  // What the engine does with a change: `key` is raw, `done` gets Serf's error or none.
  using Applied = std::function<void(const std::string& error)>;
  using Apply = std::function<void(KeyChange, const AesKey& key, Applied done)>;
  using Done = std::function<void(const KeyOutcome&, const std::string& error)>;

  // Registers with the desk for the cluster's queries about keys.
  KeyManager(QueryDesk& desk, MembersMirror& members, Log& log, Apply apply, Options options);
  KeyManager(const KeyManager&) = delete;
  KeyManager& operator=(const KeyManager&) = delete;

  // What clients ask for: every member is to change its keyring, or to say what is in it.
  void change(KeyChange change, const std::string& base64_key, Done done);
  void list(Done done);

  const Keyring& keyring() const { return options_.keyring; }

 private:
  // A change of our own keyring.
  struct OwnChange {
    KeyChange change{};
    std::string query;  // the payload
    QueryDesk::Responder respond;
  };
  // A question to the cluster.
  struct Question {
    std::string name;
    std::string payload;
    bool lists = false;
    Done done;
  };

  void begin_next_change();
  void end_change(const std::string& error);
  void answer_list(const QueryDesk::Responder& respond) const;

  void ask(Question question);
  void ask_next();
  void on_response(std::string_view from, std::string_view payload);
  void end_question(const std::string& error);

  QueryDesk& desk_;
  MembersMirror& members_;
  Log& log_;
  Apply apply_;
  Options options_;
  std::deque<OwnChange> changes_;   // the front one is being done
  std::deque<Question> questions_;  // the front one is asked
  KeyOutcome outcome_;              // of the front question
  QueryTicket ticket_ = 0;
  std::uint64_t asked_ = 0;  // changes with the front question
};

}  // namespace starling::agent
