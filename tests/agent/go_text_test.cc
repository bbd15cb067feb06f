#include "agent/go_text.h"

#include <gtest/gtest.h>

namespace starling::agent {
namespace {

TEST(JsonQuote, EscapesAsGo) {
  EXPECT_EQ(json_quote("a\"\\\n\r\t\b<>&"), "\"a\\\"\\\\\\n\\r\\t\\u0008\\u003c\\u003e\\u0026\"");
  EXPECT_EQ(json_quote("\u00e9\u2028"), "\"\u00e9\\u2028\"");
  EXPECT_EQ(json_quote("\xff\x80x"), "\"\\ufffd\\ufffdx\"");
}

TEST(GoQuote, EscapesAsGo) {
  EXPECT_EQ(go_quote("a\"\\\n\a"), "\"a\\\"\\\\\\n\\a\"");
  EXPECT_EQ(go_quote(std::string_view("\x00\x7f\xff", 3)), "\"\\x00\\x7f\\xff\"");
  EXPECT_EQ(go_quote("\u00e9\u00a0"), "\"\u00e9\\u00a0\"");
}

TEST(Base64, BothWays) {
  for (const auto& [plain, encoded] : {std::pair<std::string, std::string>{"", ""},
                                       {"a", "YQ=="},
                                       {"ab", "YWI="},
                                       {"abc", "YWJj"},
                                       {"0123456789abcdef", "MDEyMzQ1Njc4OWFiY2RlZg=="}}) {
    EXPECT_EQ(base64_encode(plain), encoded);
    EXPECT_EQ(*base64_decode(encoded), plain);
  }
  EXPECT_EQ(*base64_decode("YW\nJj"), "abc");
}

TEST(Base64, ErrorsAreGos) {
  EXPECT_EQ(base64_decode("zzz").error(), "illegal base64 data at input byte 0");
  EXPECT_EQ(base64_decode("abc").error(), "illegal base64 data at input byte 0");
  EXPECT_EQ(base64_decode("YWJj!").error(), "illegal base64 data at input byte 4");
  EXPECT_EQ(base64_decode("YQ=x").error(), "illegal base64 data at input byte 3");
  EXPECT_EQ(base64_decode("YQ==x").error(), "illegal base64 data at input byte 4");
  EXPECT_EQ(base64_decode("=").error(), "illegal base64 data at input byte 0");
}

TEST(Text, SplitTrimCase) {
  EXPECT_EQ(split("a,,b", ','), (std::vector<std::string>{"a", "", "b"}));
  EXPECT_EQ(split("", ','), std::vector<std::string>{""});
  EXPECT_EQ(trim_space(" \t a b \n"), "a b");
  EXPECT_EQ(trim_space(" \n "), "");
  EXPECT_EQ(to_upper("aZ1"), "AZ1");
  EXPECT_EQ(to_lower("aZ1"), "az1");
}

TEST(FirstCharacter, RefusesOverlongAndSurrogates) {
  EXPECT_TRUE(first_character("\u20ac").valid);
  EXPECT_FALSE(first_character("\xc0\x80").valid);
  EXPECT_FALSE(first_character("\xed\xa0\x80").valid);
  EXPECT_FALSE(first_character("\xf4\x90\x80\x80").valid);
  EXPECT_FALSE(first_character("\xe2\x82").valid);
}

}  // namespace
}  // namespace starling::agent
