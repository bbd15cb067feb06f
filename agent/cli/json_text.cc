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

std::string members_json(const std::vector<MemberInfo>& members) {
  if (members.empty()) return "{\n  \"members\": null\n}";
  std::string out = "{\n  \"members\": [";
  bool first = true;
  for (const MemberInfo& member : members) {
    const Versions& versions = member.versions;
    const std::string address = format_endpoint({member.address, member.port});
    out += first ? "\n    {\n" : ",\n    {\n";
    out += "      \"name\": " + json_quote(member.name) + ",\n";
    out += "      \"addr\": " + json_quote(address) + ",\n";
    out += "      \"port\": " + std::to_string(member.port) + ",\n";
    out += "      \"tags\": " + object(member.tags, "      ") + ",\n";
    out += "      \"status\": " + json_quote(member.status) + ",\n";
    out += "      \"protocol\": {\n";
    out += "        \"max\": " + std::to_string(versions.delegate_max) + ",\n";
    out += "        \"min\": " + std::to_string(versions.delegate_min) + ",\n";
    out += "        \"version\": " + std::to_string(versions.delegate_current) + "\n";
    out += "      }\n    }";
    first = false;
  }
  return out + "\n  ]\n}";
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

}  // namespace starling::agent::cli
