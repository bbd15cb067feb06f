#include "core/shard/row_digest.h"

namespace starling {

RowDigest::RowDigest(Node& node, Slot slot) : node_(node), slot_(slot) {
  if (!node_.sync || node_.sync->watched == slot) return;
  watches_ = true;
  outer_ = std::exchange(node_.sync->watched, slot);
  before_ = mark_of_row(node_, slot_);
}

RowDigest::~RowDigest() {
  if (!watches_) return;
  node_.sync->watched = outer_;
  const std::optional<Mark> after = mark_of_row(node_, slot_);
  if (before_ == after) return;
  DigestTable& digest = node_.sync->digest;
  if (before_ && after) {
    digest.replace(*before_, *after);
  } else if (before_) {
    digest.remove(*before_);
  } else {
    digest.add(*after);
  }
}

std::optional<Mark> mark_of_row(const Node& node, Slot slot) {
  const MemberTable& members = node.members;
  if (static_cast<std::uint32_t>(slot) >= node.sync->digested_end) return std::nullopt;
  if (!members.occupied(slot) || !members.listed(slot)) return std::nullopt;
  if (!is_digested(members.state(slot))) return std::nullopt;
  return mark_of(node.sync->digest.key(), record_of(node, slot));
}

MemberRecord record_of(const Node& node, Slot slot) {
  const MemberTable& members = node.members;
  return {.name = members.name(slot),
          .hash = members.hash(slot),
          .incarnation = members.incarnation(slot),
          .endpoint = members.endpoint(slot),
          .versions = members.versions(slot),
          .meta = members.meta(slot),
          .status_time = node.serf.status_time(slot),
          .state = members.state(slot)};
}

}  // namespace starling
