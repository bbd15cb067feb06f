// Shows a list of members while it arrives, as columns or as JSON. protocol/serf section 18.
//
// JSON is written at once, so that a list of any length needs no memory. Columns need their widths
// first: the rows are kept as text until the end.
#pragma once

#include <string>

#include "agent/cli/columns.h"
#include "agent/cli/command.h"
#include "agent/cli/json_text.h"

namespace starling::agent::cli {

class MemberPrinter {
 public:
  // `format` is "text" or "json"; finish() complains about any other. `detailed` adds the protocol
  // versions to the columns.
  MemberPrinter(Console& console, std::string format, bool detailed)
      : console_(console), format_(std::move(format)), detailed_(detailed), json_(console.out) {}

  void add(const MemberInfo& member);
  // After the last one; the exit status.
  int finish();
  // Instead, when no more will come. What JSON has been written is closed, with the error in it;
  // columns are not shown. The exit status.
  int fail(std::string_view error);

 private:
  Console& console_;
  std::string format_;
  bool detailed_;
  bool begun_ = false;
  MembersJson json_;
  Columns columns_;
};

}  // namespace starling::agent::cli
