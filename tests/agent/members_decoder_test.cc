#include "agent/members_decoder.h"

#include <gtest/gtest.h>

#include "agent/tag_sets.h"

namespace starling::agent {
namespace {

struct Outcome {
  std::vector<std::string> names;
  bool good = true;
  bool complete = false;
  std::size_t left = 0;
  bool operator==(const Outcome&) const = default;
};

Outcome feed(std::string_view body, std::size_t piece) {
  MembersDecoder decoder;
  Outcome outcome;
  while (!body.empty() && outcome.good && !decoder.complete()) {
    const std::string copy(body.substr(0, piece));  // nothing may point into it later
    Bytes chunk = as_bytes(copy);
    outcome.good =
        decoder
            .feed(chunk,
                  [&](MemberInfo&& member) { outcome.names.push_back(std::move(member.name)); })
            .has_value();
    body.remove_prefix(copy.size() - chunk.size());
  }
  outcome.complete = decoder.complete();
  outcome.left = body.size();
  return outcome;
}

std::string body_of(std::size_t members) {
  std::string body;
  append_members_header(body, members);
  const std::string tags = encode_tags({{"role", "web"}});
  for (std::size_t i = 0; i < members; ++i) {
    const std::string name = "m" + std::to_string(i);
    append_member(body, {.name = name,
                         .endpoint = {IpAddress::v4(127, 0, 0, 1), 7946},
                         .status = MemberStatus::alive,
                         .versions = {},
                         .tags = tags});
  }
  return body;
}

TEST(MembersDecoder, AnyCutGivesTheSame) {
  for (const std::size_t count : {0, 1, 3, 15, 16, 40, 70'000}) {
    const std::string body = body_of(count) + "next";
    for (const std::size_t piece : {1, 2, 7, 1000, 1 << 24}) {
      if (count > 1000 && piece < 1000) continue;
      const Outcome outcome = feed(body, piece);
      EXPECT_TRUE(outcome.good);
      EXPECT_TRUE(outcome.complete);
      EXPECT_EQ(outcome.left, 4U);
      ASSERT_EQ(outcome.names.size(), count);
      const std::string last = count == 0 ? "" : outcome.names.back();
      EXPECT_EQ(last, count == 0 ? "" : "m" + std::to_string(count - 1));
    }
  }
}

TEST(MembersDecoder, OtherKeysAndNil) {
  using namespace std::string_literals;
  for (const std::string& body :
       {"\x80"s, "\xc0"s, "\x81\xa7Members\xc0"s, "\x82\xa5Other\x93\x01\x02\x03\xa7Members\x90"s,
        "\x82\xa7Members\x90\xa5Other\x01"s, "\xde\x00\x01\xa7Members\xdc\x00\x00"s}) {
    const Outcome outcome = feed(body, 1);
    EXPECT_TRUE(outcome.good && outcome.complete) << body;
    EXPECT_TRUE(outcome.names.empty());
    EXPECT_EQ(outcome.left, 0U);
  }
}

TEST(MembersDecoder, RefusesWhatIsNoList) {
  using namespace std::string_literals;
  for (const std::string& body : {"\x05"s, "\xc1"s, "\x81\x05\x90"s, "\x81\xa7Members\x05"s,
                                  "\x81\xa7Members\x91\x05"s, "\x81\xa7Members\x91\xc1"s}) {
    EXPECT_FALSE(feed(body, 1).good) << body;
    EXPECT_FALSE(feed(body, 100).good) << body;
  }
  // Four billion members are announced: nothing is reserved for them, and one too long is an error.
  const std::string longest(MembersDecoder::value_bytes_max + 1, 'x');
  EXPECT_FALSE(
      feed("\x81\xa7Members\xdd\xff\xff\xff\xff\xdb\x00\x02\x00\x00"s + longest, 9999).good);
}

}  // namespace
}  // namespace starling::agent
