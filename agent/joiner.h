// Joins: one after another, each through its targets in order. protocol/serf section 8.
//
// A target may resolve to several addresses; each is tried and counts by itself. At least one
// success makes the join a success and is announced by a join intent. Joins wait for each other, as
// in Serf. Owned by the agent, control thread only.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "agent/engine_host.h"
#include "agent/log.h"
#include "agent/resolver.h"

namespace starling::agent {

class Joiner {
 public:
  // How many addresses were reached; the error is empty if at least one was or none was given.
  using Done = std::function<void(std::size_t count, const std::string& error)>;

  Joiner(EngineHost& engine, Resolver& resolver, Log& log, std::uint16_t default_port)
      : engine_(engine), resolver_(resolver), log_(log), default_port_(default_port) {}
  Joiner(const Joiner&) = delete;
  Joiner& operator=(const Joiner&) = delete;

  // `done` is called later, never from within this call, except for an empty list.
  void join(std::vector<std::string> targets, bool replay, Done done);

 private:
  struct Attempt {
    std::vector<std::string> targets;
    bool replay = false;
    Done done;
    std::size_t next_target = 0;
    std::vector<Endpoint> endpoints;  // of the current target
    std::string node_name;
    std::size_t next_endpoint = 0;
    std::size_t reached = 0;
    std::vector<std::string> errors;
    bool refused = false;  // we may not join at all
  };
  void advance();
  void try_endpoint();
  void finish();

  EngineHost& engine_;
  Resolver& resolver_;
  Log& log_;
  std::uint16_t default_port_;
  std::deque<Attempt> attempts_;  // the front one runs
};

// Go's multierror: "1 error occurred:\n\t* ...\n\n".
std::string join_errors(const std::vector<std::string>& errors);

}  // namespace starling::agent
