#include "agent/tag_sets.h"

#include "agent/rpc_writer.h"
#include "wire/base/check.h"

namespace starling::agent {

std::string encode_tags(const Tags& tags) {
  std::string encoded;
  RpcWriter(encoded).tags(tags);
  return encoded;
}

Tags decode_tags(std::string_view encoded) {
  Reader in(as_bytes(encoded), "tags");
  Tags tags;
  for (std::uint64_t pairs = msgpack::read_map_header(in); pairs > 0 && in.ok(); --pairs) {
    const std::string_view key = msgpack::read_text(in);
    tags[std::string(key)] = msgpack::read_text(in);
  }
  CHECK(in.ok());
  return tags;
}

TagSets::Held& TagSets::take(std::string_view encoded) {
  auto at = sets_.find(encoded);
  if (at == sets_.end()) at = sets_.emplace(std::string(encoded), 0).first;
  ++at->second;
  return *at;
}

void TagSets::release(Held& set) {
  CHECK(set.second > 0);
  if (--set.second == 0) sets_.erase(sets_.find(set.first));
}

}  // namespace starling::agent
