#include "agent/joiner.h"

#include "io/errno_text.h"

namespace starling::agent {
namespace {

std::string failure_text(const Endpoint& endpoint, const Event& answer) {
  const std::string place = format_endpoint(endpoint);
  std::string why;
  switch (answer.result) {
    case CommandResult::refused:
      why = "dial tcp " + place + ": connect: " + io::errno_text(static_cast<int>(answer.number));
      break;
    case CommandResult::timed_out:
      why = "dial tcp " + place + ": i/o timeout";
      break;
    case CommandResult::peer_error:
      why = "remote error: " + std::string(answer.text);
      break;
    case CommandResult::bad_answer:
      why = fmt::format("{} answered with something that cannot be read: {}, {}", place,
                        answer.error.layer, to_text(answer.error.fault));
      break;
    default:
      why = std::string(to_text(answer.result));
      if (!answer.text.empty()) why += ": " + std::string(answer.text);
      break;
  }
  return "Failed to join " + format_address(endpoint.address) + ": " + why;
}

}  // namespace

std::string join_errors(const std::vector<std::string>& errors) {
  if (errors.empty()) return "";
  std::string text = std::to_string(errors.size()) +
                     (errors.size() == 1 ? " error occurred:\n" : " errors occurred:\n");
  for (const std::string& error : errors) text += "\t* " + error + "\n";
  return text + "\n";
}

void Joiner::join(std::vector<std::string> targets, bool replay, Done done) {
  log_.told("join").info("agent: joining: [{}] replay: {}", fmt::join(targets, " "), replay);
  Attempt attempt;
  attempt.targets = std::move(targets);
  attempt.replay = replay;
  attempt.done = std::move(done);
  attempts_.push_back(std::move(attempt));
  if (attempts_.size() == 1) advance();
}

// The next step of the attempt in front: its next endpoint, its next target, or its end.
void Joiner::advance() {
  Attempt& attempt = attempts_.front();
  if (attempt.next_endpoint < attempt.endpoints.size()) return try_endpoint();
  if (attempt.refused || attempt.next_target >= attempt.targets.size()) return finish();
  const std::string target = attempt.targets[attempt.next_target++];
  resolver_.resolve(target, default_port_, [this, target](const Resolver::Answer& answer) {
    Attempt& current = attempts_.front();
    current.next_endpoint = 0;
    current.endpoints.clear();
    if (answer) {
      current.endpoints = answer->endpoints;
      current.node_name = answer->node_name;
    } else {
      current.errors.push_back("Failed to resolve " + target + ": " + answer.error());
      log_.told("join-failed").warn("memberlist: {}", current.errors.back());
    }
    advance();
  });
}

void Joiner::try_endpoint() {
  Attempt& attempt = attempts_.front();
  const Endpoint endpoint = attempt.endpoints[attempt.next_endpoint++];
  OwnedCommand command;
  command.command.kind = Command::Kind::join;
  command.command.endpoint = endpoint;
  command.command.ignore_old = !attempt.replay;
  command.name = attempt.node_name;
  log_.told("join").debug("memberlist: Initiating push/pull sync with: {} {}", attempt.node_name,
                          format_endpoint(endpoint));
  engine_.send(std::move(command), [this, endpoint](const Event& answer) {
    Attempt& current = attempts_.front();
    if (answer.result == CommandResult::ok) {
      ++current.reached;
    } else if (answer.result == CommandResult::not_alive) {
      current.refused = true;
      current.endpoints.clear();
      current.errors.assign(1, "Serf can't Join after Leave or Shutdown");
    } else {
      current.errors.push_back(failure_text(endpoint, answer));
      log_.told("join-failed").debug("memberlist: {}", current.errors.back());
    }
    advance();
  });
}

void Joiner::finish() {
  const auto conclude = [this] {
    const Attempt attempt = std::move(attempts_.front());
    attempts_.pop_front();
    std::string error;
    if (attempt.reached == 0 && attempt.refused) {
      error = attempt.errors.front();
    } else if (attempt.reached == 0) {
      error = join_errors(attempt.errors);
    }
    if (attempt.reached > 0) log_.told("join").info("agent: joined: {} nodes", attempt.reached);
    if (!error.empty()) log_.told("join-failed").warn("agent: error joining: {}", error);
    attempt.done(attempt.reached, error);
    if (!attempts_.empty()) advance();
  };
  if (attempts_.front().reached == 0) return conclude();
  OwnedCommand announce;
  announce.command.kind = Command::Kind::announce;
  engine_.send(std::move(announce), [conclude](const Event&) { conclude(); });
}

}  // namespace starling::agent
