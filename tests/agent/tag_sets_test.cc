#include "agent/tag_sets.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace starling::agent {
namespace {

TEST(TagSets, EncodedAsAMapThereAndBack) {
  for (const Tags& tags : {Tags{}, Tags{{"role", "web"}, {"dc", "east"}},
                           Tags{{"", ""}, {"k", std::string(300, 'x')}}}) {
    const std::string encoded = encode_tags(tags);
    EXPECT_EQ(decode_tags(encoded), tags);
    EXPECT_EQ(nlohmann::json::from_msgpack(encoded), nlohmann::json(tags));
  }
}

TEST(TagSets, EqualTagsAreStoredOnce) {
  TagSets sets;
  TagSets::Held& first = sets.take("one");
  TagSets::Held& again = sets.take("one");
  TagSets::Held& other = sets.take("two");
  EXPECT_EQ(&first, &again);
  EXPECT_NE(&first, &other);
  EXPECT_EQ(TagSets::encoded(other), "two");
  EXPECT_EQ(sets.size(), 2U);
  sets.release(first);
  EXPECT_EQ(sets.size(), 2U);
  EXPECT_EQ(TagSets::encoded(again), "one");
  sets.release(again);
  EXPECT_EQ(sets.size(), 1U);
  sets.release(other);
  EXPECT_EQ(sets.size(), 0U);
}

}  // namespace
}  // namespace starling::agent
