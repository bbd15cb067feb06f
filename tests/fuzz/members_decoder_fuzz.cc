// Any body of a member list: where it is cut changes nothing, and what was read can be read again.
// The first byte chooses the cuts.
#include <string>

#include "agent/members_decoder.h"
#include "agent/tag_sets.h"
#include "tests/fuzz/fuzz.h"

namespace starling {
namespace {

using agent::MemberInfo;
using agent::MembersDecoder;

struct ExchangeOutcome {
  std::vector<MemberInfo> members;
  bool good = true;
  bool complete = false;
  std::size_t taken = 0;  // when complete
  bool operator==(const ExchangeOutcome&) const = default;
};

ExchangeOutcome read_list(Bytes body, std::uint8_t cuts, bool whole) {
  MembersDecoder decoder;
  fuzz::ChunkSizes sizes(cuts);
  ExchangeOutcome outcome;
  std::size_t taken = 0;
  while (taken < body.size() && outcome.good && !decoder.complete()) {
    const Bytes rest = body.subspan(taken);
    const Bytes piece = whole ? rest : rest.first(std::min(sizes.next(), rest.size()));
    // A copy that is gone after the call: nothing may point into it later.
    const std::vector<std::byte> copy(piece.begin(), piece.end());
    Bytes chunk = copy;
    const auto fed = decoder.feed(
        chunk, [&](MemberInfo&& member) { outcome.members.push_back(std::move(member)); });
    outcome.good = fed.has_value();
    taken += copy.size() - chunk.size();
  }
  outcome.complete = decoder.complete();
  if (outcome.complete) outcome.taken = taken;
  return outcome;
}

void check_members(Bytes input) {
  const std::uint8_t cuts = fuzz::take_byte(input);
  const ExchangeOutcome whole = read_list(input, cuts, true);
  CHECK(whole == read_list(input, cuts, false));
  if (!whole.complete) return;
  agent::MemberEventRecord record{.event = "", .members = whole.members};
  std::string again = "\x81\xa7Members";
  std::string encoded;
  append(encoded, record);
  // The list is the record's last value.
  const std::size_t at = encoded.find("\xa7Members");
  again += encoded.substr(at + 8);
  const ExchangeOutcome second = read_list(as_bytes(again), cuts, false);
  CHECK(second.complete && second.members == whole.members);
}

}  // namespace
}  // namespace starling

FUZZ_TARGET(starling::check_members)
