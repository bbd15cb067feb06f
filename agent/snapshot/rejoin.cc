#include "agent/snapshot/rejoin.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "agent/addresses.h"

namespace starling::agent {
namespace {

// "ip:port"; names are never in a snapshot, and looking one up might block.
std::optional<Endpoint> endpoint_from(std::string_view text) {
  const auto parts = split_host_port(text);
  if (!parts) return std::nullopt;
  const auto address = parse_address(parts->host);
  const auto port = parse_port(parts->port);
  if (!address || !port || *port == 0) return std::nullopt;
  return Endpoint{*address, *port};
}

}  // namespace

void Rejoin::start(std::vector<SnapshotNode> nodes, const SnapshotNode& own, Done done) {
  std::erase_if(nodes, [&](const SnapshotNode& node) {
    return node.name == own.name || node.address == own.address;
  });
  std::ranges::reverse(nodes);
  nodes_ = std::move(nodes);
  done_ = std::move(done);
  if (!nodes_.empty()) advance();
}

void Rejoin::advance() {
  if (nodes_.empty()) {
    log_.warn("serf: Failed to re-join any previously known node");
    return done_(false);
  }
  const SnapshotNode node = std::move(nodes_.back());
  nodes_.pop_back();
  const std::optional<Endpoint> endpoint = endpoint_from(node.address);
  if (!endpoint) {
    log_.warn("serf: Cannot re-join {}: no address: {}", node.name, node.address);
    return advance();
  }
  const std::string text = node.name + ": " + node.address;
  log_.info("serf: Attempting re-join to previously known node: {}", text);
  OwnedCommand command;
  command.command.kind = Command::Kind::join;
  command.command.endpoint = *endpoint;
  command.name = node.name;
  engine_.send(std::move(command), [this, text](const Event& answer) {
    if (answer.result == CommandResult::ok) {
      log_.info("serf: Re-joined to previously known node: {}", text);
      return done_(true);
    }
    if (answer.result == CommandResult::not_alive) nodes_.clear();  // we leave
    advance();
  });
}

}  // namespace starling::agent
