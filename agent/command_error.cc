#include "agent/command_error.h"

namespace starling::agent {

std::string command_error(const Event& answer, std::string_view on_timeout) {
  switch (answer.result) {
    case CommandResult::ok:
    case CommandResult::already_left:
      return "";
    case CommandResult::broadcast_timeout:
      return std::string(on_timeout);
    case CommandResult::leave_in_progress:
      return "Leave already in progress";
    case CommandResult::not_alive:
      return "Serf is not running: it has left or was shut down";
    default:
      break;
  }
  if (!answer.text.empty()) return std::string(answer.text);
  return std::string(to_text(answer.result));
}

}  // namespace starling::agent
