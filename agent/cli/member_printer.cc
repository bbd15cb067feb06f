#include "agent/cli/member_printer.h"

#include "agent/addresses.h"
#include "agent/cli/colour.h"
#include "agent/go_text.h"

namespace starling::agent::cli {
namespace {

Row row_of(const MemberInfo& member, bool detailed) {
  std::string tags;
  for (const auto& [key, value] : member.tags) {
    tags += (tags.empty() ? "" : ",") + key + "=" + value;
  }
  Row row{{member.name},
          {format_endpoint({member.address, member.port})},
          {member.status, colour_of_status(member.status)},
          {tags}};
  if (detailed) {
    const Versions& versions = member.versions;
    row.push_back({"Protocol Version: " + std::to_string(versions.delegate_current)});
    row.push_back({"Available Protocol Range: [" + std::to_string(versions.delegate_min) + ", " +
                   std::to_string(versions.delegate_max) + "]"});
  }
  return row;
}

}  // namespace

void MemberPrinter::add(const MemberInfo& member) {
  begun_ = true;
  if (format_ == "json") json_.add(member);
  if (format_ == "text") columns_.add(row_of(member, detailed_));
}

int MemberPrinter::finish() {
  if (format_ == "json") {
    json_.finish();
  } else if (format_ == "text") {
    columns_.print(console_.out, console_.coloured);
  } else {
    return console_.fail("Encoding error: Invalid output format " + go_quote(format_));
  }
  console_.out << "\n";
  return 0;
}

int MemberPrinter::fail(std::string_view error) {
  if (format_ == "json" && begun_) {
    json_.finish(error);
    console_.out << "\n";
    if (!console_.strict) return 1;  // the errors go to the same place
  }
  return console_.fail(error);
}

}  // namespace starling::agent::cli
