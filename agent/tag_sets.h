// Tags as the member mirror keeps them: encoded, and equal ones only once.
//
// Large clusters have few kinds of members, so most rows share their tags. The encoded form is the
// one that RPC answers carry, so that a row is answered with a copy. Owned by the mirror; control
// thread only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "agent/member_info.h"

namespace starling::agent {

// A msgpack map in the RPC dialect, by key.
std::string encode_tags(const Tags& tags);
// What encode_tags has written.
Tags decode_tags(std::string_view encoded);

class TagSets {
 public:
  // Stays where it is while it is held; encoded() of it stays valid, too.
  using Held = std::pair<const std::string, std::uint32_t>;
  static std::string_view encoded(const Held& set) { return set.first; }

  // Each take() wants one release().
  Held& take(std::string_view encoded);
  void release(Held& set);
  std::size_t size() const { return sets_.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> sets_;  // how often held
};

}  // namespace starling::agent
