#include "agent/cli/columns.h"

#include <sstream>

#include <gtest/gtest.h>

namespace starling::agent::cli {
namespace {

std::string format_columns(const std::vector<Row>& rows, bool coloured) {
  std::ostringstream out;
  Columns columns;
  for (const Row& row : rows) columns.add(row);
  columns.print(out, coloured);
  return out.str();
}

TEST(Columns, PadsAllButTheLast) {
  const std::vector<Row> rows{{{"a"}, {"127.66.0.1:7946"}, {"alive"}, {"role=web,x=1"}},
                              {{"long"}, {"127.66.0.2:7946"}, {"left"}, {""}},
                              {{"c"}, {"127.66.0.3:7946"}, {"alive"}, {""}}};
  EXPECT_EQ(format_columns(rows, false),
            "a     127.66.0.1:7946  alive  role=web,x=1\n"
            "long  127.66.0.2:7946  left   \n"
            "c     127.66.0.3:7946  alive");
}

TEST(Columns, CountsCharactersNotBytes) {
  const std::vector<Row> rows{{{"b\u00e9"}, {"x"}}, {{"abc"}, {"y"}}};
  EXPECT_EQ(format_columns(rows, false), "b\u00e9   x\nabc  y");
  EXPECT_EQ(width_of("b\u00e9"), 2U);
  EXPECT_EQ(width_of("\xff\xfe"), 2U);
}

TEST(Columns, ColourDoesNotCount) {
  const std::vector<Row> rows{{{"ok", Colour::green}, {"x"}}, {{"failed", Colour::red}, {"y"}}};
  EXPECT_EQ(format_columns(rows, true), "\x1b[32mok\x1b[0m      x\n\x1b[31mfailed\x1b[0m  y");
}

TEST(Columns, WhiteSpaceIsCutAtBothEndsOnly) {
  const std::vector<Row> rows{{{""}, {""}}, {{""}, {"b"}},  {{" c "}, {""}},
                              {{""}, {""}}, {{"d"}, {"e"}}, {{""}, {""}}};
  EXPECT_EQ(format_columns(rows, false), "b\nc  \n   \nd  e");
}

TEST(Columns, NothingIsEmpty) {
  EXPECT_EQ(format_columns({}, false), "");
}

}  // namespace
}  // namespace starling::agent::cli
