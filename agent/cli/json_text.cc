#include "agent/cli/json_text.h"

#include "agent/addresses.h"
#include "agent/go_text.h"

namespace starling::agent::cli {
namespace {

// A JSON object of strings; its lines after the first start with `indent`.
std::string object(const Tags& tags, const std::string& indent) {
  if (tags.empty()) return "{}";
  std::string out = "{";
  bool first = true;
  for (const auto& [key, value] : tags) {
    out += (first ? "\n" : ",\n") + indent + "  " + json_quote(key) + ": " + json_quote(value);
    first = false;
  }
  return out + "\n" + indent + "}";
}

}  // namespace

void MembersJson::add(const MemberInfo& member) {
  const Versions& versions = member.versions;
  const std::string address = format_endpoint({member.address, member.port});
  out_ << (begun_ ? ",\n    {\n" : "{\n  \"members\": [\n    {\n");
  out_ << "      \"name\": " << json_quote(member.name) << ",\n";
  out_ << "      \"addr\": " << json_quote(address) << ",\n";
  out_ << "      \"port\": " << member.port << ",\n";
  out_ << "      \"tags\": " << object(member.tags, "      ") << ",\n";
  out_ << "      \"status\": " << json_quote(member.status) << ",\n";
  out_ << "      \"protocol\": {\n";
  out_ << "        \"max\": " << unsigned{versions.delegate_max} << ",\n";
  out_ << "        \"min\": " << unsigned{versions.delegate_min} << ",\n";
  out_ << "        \"version\": " << unsigned{versions.delegate_current} << "\n";
  out_ << "      }\n    }";
  begun_ = true;
}

void MembersJson::finish(std::string_view error) {
  out_ << (begun_ ? "\n  ]" : "{\n  \"members\": null");
  if (!error.empty()) out_ << ",\n  \"error\": " << json_quote(error);
  out_ << "\n}";
}

std::string stats_json(const Stats& stats) {
  if (stats.empty()) return "{}";
  std::string out = "{";
  bool first = true;
  for (const auto& [section, values] : stats) {
    out += (first ? "\n  " : ",\n  ") + json_quote(section) + ": " + object(values, "  ");
    first = false;
  }
  return out + "\n}";
}

std::string query_json(const QueryAnswers& answers) {
  std::string acks = answers.acks.empty() ? "null" : "[";
  bool first = true;
  for (const std::string& name : answers.acks) {
    acks += (first ? "\n    " : ",\n    ") + json_quote(name);
    first = false;
  }
  if (!answers.acks.empty()) acks += "\n  ]";
  return "{\n  \"Acks\": " + acks + ",\n  \"Responses\": " + object(answers.responses, "  ") +
         "\n}";
}

}  // namespace starling::agent::cli
