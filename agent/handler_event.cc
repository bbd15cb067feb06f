#include "agent/handler_event.h"

#include <utility>

#include "agent/addresses.h"
#include "agent/go_text.h"

namespace starling::agent {

namespace {

std::string tag_or_empty(const Tags& tags, const std::string& key) {
  const auto at = tags.find(key);
  return at == tags.end() ? "" : at->second;
}

// SERF_TAG_ and the key: upper case, one underscore for every other character.
std::string tag_variable(std::string_view key) {
  std::string variable = "SERF_TAG_";
  const std::string upper = to_upper(key);
  for (std::string_view rest = upper; !rest.empty();) {
    const Character character = first_character(rest);
    rest.remove_prefix(character.bytes.size());
    const char32_t code = character.code;
    const bool keeps = character.valid && ((code >= U'A' && code <= U'Z') ||
                                           (code >= U'0' && code <= U'9') || code == U'_');
    variable += keeps ? static_cast<char>(code) : '_';
  }
  return variable;
}

// Tabs separate the fields of a line and newlines end it, so neither may stand inside.
void append_field(std::string& line, std::string_view text) {
  for (const char character : text) {
    if (character == '\t') {
      line += "\\t";
    } else if (character == '\n') {
      line += "\\n";
    } else {
      line += character;
    }
  }
}

void append_member(std::string& input, const MemberInfo& member) {
  append_field(input, member.name);
  input += '\t';
  input += format_address(member.address);
  input += '\t';
  append_field(input, tag_or_empty(member.tags, "role"));
  input += '\t';
  bool first = true;
  for (const auto& [key, value] : member.tags) {
    if (!std::exchange(first, false)) input += ',';
    append_field(input, key);
    input += '=';
    append_field(input, value);
  }
  input += '\n';
}

}  // namespace

std::string_view HandlerEvent::kind_text() const {
  switch (kind) {
    case Kind::member:
      return to_text(change);
    case Kind::user:
      return "user";
    case Kind::query:
      return "query";
  }
  std::unreachable();
}

std::vector<std::string> handler_environment(const HandlerEvent& event, const HandlerSelf& self) {
  std::vector<std::string> variables;
  variables.push_back("SERF_EVENT=" + std::string(event.kind_text()));
  variables.push_back("SERF_SELF_NAME=" + self.name);
  variables.push_back("SERF_SELF_ROLE=" + tag_or_empty(self.tags, "role"));
  for (const auto& [key, value] : self.tags) variables.push_back(tag_variable(key) + "=" + value);
  const std::string time = std::to_string(to_number(event.time));
  if (event.kind == HandlerEvent::Kind::user) {
    variables.push_back("SERF_USER_EVENT=" + event.name);
    variables.push_back("SERF_USER_LTIME=" + time);
  } else if (event.kind == HandlerEvent::Kind::query) {
    variables.push_back("SERF_QUERY_NAME=" + event.name);
    variables.push_back("SERF_QUERY_LTIME=" + time);
  }
  return variables;
}

std::string handler_input(const HandlerEvent& event) {
  std::string input;
  if (event.kind == HandlerEvent::Kind::member) {
    for (const MemberInfo& member : event.members) append_member(input, member);
    return input;
  }
  input = event.payload;
  if (!input.empty() && input.back() != '\n') input += '\n';
  return input;
}

}  // namespace starling::agent
