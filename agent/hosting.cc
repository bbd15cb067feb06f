#include "agent/hosting.h"

#include "agent/command_error.h"
#include "agent/go_text.h"
#include "agent/tag_text.h"
#include "core/shard/hosting.h"
#include "wire/base/check.h"

namespace starling::agent {
namespace {

// Longer names the engine refuses, too; they need not go through its ring.
constexpr std::size_t name_bytes_max = CapacityOptions{}.name_bytes_max;

constexpr std::string_view no_place_hint = "; -hosted-max sets how many there are";

std::string not_hosted(std::string_view name) {
  return "no member " + go_quote(name) + " is hosted here";
}

}  // namespace

std::expected<std::vector<HostedMember>, std::string> hosted_options(
    const std::vector<HostedSpec>& members, const Hosting::Options& options) {
  std::vector<HostedMember> all;
  all.reserve(members.size());
  for (const HostedSpec& spec : members) {
    const auto wrong = [&](const std::string& why) {
      return std::unexpected("hosted member " + go_quote(spec.name) + ": " + why);
    };
    if (spec.name == options.own_name) return wrong("this is the name of the agent itself");
    const auto endpoint = hosted_endpoint(spec.advertise, options.own_advertise);
    if (!endpoint) return wrong(endpoint.error());
    auto meta = metadata_of(spec.tags, options.protocol);
    if (!meta) return wrong(meta.error());
    all.push_back({.name = spec.name, .advertise = *endpoint, .meta = std::move(*meta)});
  }
  return all;
}

Hosting::Hosting(EngineHost& engine, Log& log, Options options, std::vector<HostedSpec> from_start)
    : engine_(engine), log_(log), options_(std::move(options)) {
  for (HostedSpec& spec : from_start) {
    members_.emplace(std::move(spec.name), Member{.tags = std::move(spec.tags)});
  }
}

void Hosting::host(const HostMemberRequest& request, Done done) {
  log_.told("hosting").info("agent: hosting member: {}", request.name);
  if (request.name.size() > name_bytes_max) return done("name is too long");
  if (request.name == options_.own_name) {
    return done(go_quote(request.name) + " is the agent's own member");
  }
  const auto endpoint = hosted_endpoint(request.advertise, options_.own_advertise);
  if (!endpoint) return done("advertise: " + endpoint.error());
  auto meta = metadata_of(request.tags, options_.protocol);
  if (!meta) return done(meta.error());

  OwnedCommand command;
  command.command.kind = Command::Kind::host;
  command.command.endpoint = *endpoint;
  command.name = request.name;
  command.payload = std::move(*meta);
  engine_.send(std::move(command), [this, request, done = std::move(done)](const Event& answer) {
    std::string error = command_error(answer, "");
    if (answer.text == to_text(HostProblem::no_place)) error += no_place_hint;
    if (error.empty()) members_[request.name] = {.tags = request.tags};
    done(error);
  });
}

void Hosting::unhost(const UnhostMemberRequest& request, Done done) {
  log_.told("hosting").info("agent: letting hosted member go: {}", request.name);
  if (request.name == options_.own_name) {
    return done(go_quote(request.name) + " is the agent's own member; it leaves with `leave`");
  }
  const auto member = members_.find(request.name);
  if (member == members_.end()) return done(not_hosted(request.name));
  if (member->second.leaving) return done("Leave already in progress");
  member->second.leaving = true;

  OwnedCommand command;
  command.command.kind = Command::Kind::unhost;
  command.name = request.name;
  engine_.send(
      std::move(command), [this, name = request.name, done = std::move(done)](const Event& answer) {
        const std::string error = command_error(answer, "timeout while waiting for graceful leave");
        // Refused only while the whole engine leaves: it goes with the others.
        if (error.empty()) members_.erase(name);
        done(error);
      });
}

void Hosting::abandon(const std::string& name) {
  const auto member = members_.find(name);
  if (member == members_.end() || member->second.leaving) return;
  log_.told("hosting").warn("agent: hosted member {} has lost its name and is let go", name);
  member->second.leaving = true;

  OwnedCommand command;
  command.command.kind = Command::Kind::abandon;
  command.name = name;
  engine_.send(std::move(command), [this, name](const Event& answer) {
    if (answer.result == CommandResult::ok) members_.erase(name);
  });
}

void Hosting::change_tags(const MemberTagsRequest& request, Done done) {
  const auto member = members_.find(request.member);
  if (member == members_.end()) return done(not_hosted(request.member));
  if (member->second.leaving) return done("member " + go_quote(request.member) + " is leaving");
  Tags tags = member->second.tags;
  for (const std::string& key : request.delete_tags) tags.erase(key);
  for (const auto& [key, value] : request.tags) tags[key] = value;
  auto meta = metadata_of(tags, options_.protocol);
  if (!meta) return done(meta.error());
  member->second.tags = std::move(tags);

  OwnedCommand command;
  command.command.kind = Command::Kind::set_meta;
  command.name = request.member;
  command.payload = std::move(*meta);
  engine_.send(std::move(command), [done = std::move(done)](const Event& answer) {
    done(command_error(answer, "timeout waiting for update broadcast"));
  });
}

std::vector<std::string> Hosting::names() const {
  std::vector<std::string> names;
  for (const auto& [name, member] : members_) names.push_back(name);
  return names;
}

}  // namespace starling::agent
