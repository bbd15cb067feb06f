// The members that this agent hosts besides its own: taken in, changed and let go at run time.
//
// The engine holds their rows; this knows their tags, which `tags` changes one by one, and turns
// the engine's answers into sentences. Owned by the agent; control thread only. Bounded by the
// engine's hosted_max.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "agent/engine_host.h"
#include "agent/hosted_members.h"
#include "agent/log.h"
#include "agent/rpc_messages.h"

namespace starling::agent {

class Hosting {
 public:
  // Called exactly once, at once or later; an empty error is success.
  using Done = std::function<void(const std::string& error)>;
  struct Options {
    std::string own_name;    // of the member that is the agent itself
    Endpoint own_advertise;  // where hosted members are, unless told otherwise
    std::uint8_t protocol = 5;
  };
  // `from_start` are in the engine's options.
  Hosting(EngineHost& engine, Log& log, Options options, std::vector<HostedSpec> from_start);

  // Done when the member is alive in this engine.
  void host(const HostMemberRequest& request, Done done);
  // Done when it has left the cluster; its name is free then.
  void unhost(const UnhostMemberRequest& request, Done done);
  // Lets a member go that has lost its name to another node. It leaves without a word, which would
  // be taken for the other's.
  void abandon(const std::string& name);
  void change_tags(const MemberTagsRequest& request, Done done);

  // Also while it leaves.
  bool hosts(std::string_view name) const { return members_.contains(name); }
  std::size_t size() const { return members_.size(); }
  std::vector<std::string> names() const;

 private:
  struct Member {
    Tags tags;
    bool leaving = false;
  };

  EngineHost& engine_;
  Log& log_;
  Options options_;
  std::map<std::string, Member, std::less<>> members_;
};

// The options of the engine for `members`; an error names the member at fault.
std::expected<std::vector<HostedMember>, std::string> hosted_options(
    const std::vector<HostedSpec>& members, const Hosting::Options& options);

}  // namespace starling::agent
