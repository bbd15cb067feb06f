// Who keeps a name that two nodes claim: the cluster votes.
//
// protocol/serf section 12. When another node claims our name, we ask everybody `_serf_conflict`
// with the name; each answers with the member as it knows it. Fewer answers with our address than
// the majority of all, or none at all: we have lost, and the agent ends. The vote of others is
// answered from the members mirror; about its own name a member keeps silent.
//
// The members that the agent hosts besides its own vote and are voted on in the same way; one that
// has lost its name is let go and the agent stays. One vote on a name runs at a time, and votes_max
// together: a claim that finds no place is made again. Owned by the agent, control thread only; the
// desk and the mirror must outlive it.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "agent/log.h"
#include "agent/members_mirror.h"
#include "agent/query_desk.h"

namespace starling::agent {

// True when both are the same address; IPv4 and the same mapped into IPv6 are, as Go has it.
bool same_address(const IpAddress& one, const IpAddress& other);

// The answer to a vote about `name`: the row as the mirror has it, or that there is none.
std::string conflict_answer(const MembersMirror& members, std::string_view name);

// Counts the answers of one vote.
class VoteCount {
 public:
  explicit VoteCount(const Endpoint& own) : own_(own) {}
  // The error says why the answer does not count.
  std::expected<void, std::string> add(std::string_view payload);
  std::size_t responses() const { return responses_; }
  std::size_t matching() const { return matching_; }
  bool won() const { return matching_ >= responses_ / 2 + 1; }

 private:
  Endpoint own_;
  std::size_t responses_ = 0;
  std::size_t matching_ = 0;
};

class NameVote {
 public:
  struct Options {
    std::string own_name;
    Endpoint own;         // as advertised
    bool enabled = true;  // vote when our name is claimed; answering is never off
    // Whether a further member of this name is hosted here.
    std::function<bool(std::string_view name)> hosts = [](std::string_view) { return false; };
  };
  static constexpr std::size_t votes_max = 16;
  // Registers itself with the desk. `on_lost` is called when the vote on a name was lost.
  NameVote(QueryDesk& desk, const MembersMirror& members, Log& log, Options options,
           std::function<void(const std::string& name)> on_lost);
  NameVote(const NameVote&) = delete;
  NameVote& operator=(const NameVote&) = delete;

  // An event of kind conflict.
  void on_conflict(const Event& event);

 private:
  bool ours(std::string_view name) const;
  void count(const std::string& name, const VoteCount& votes);
  void answer(const SeenQuery& query, const QueryDesk::Responder& respond);

  QueryDesk& desk_;
  const MembersMirror& members_;
  Log& log_;
  Options options_;
  std::function<void(const std::string& name)> on_lost_;
  std::set<std::string, std::less<>> running_;  // names that are voted on
};

}  // namespace starling::agent
