#include "core/shard/node_records.h"

#include <bit>

#include "core/shard/apply_alive.h"
#include "core/shard/apply_dead.h"
#include "core/shard/apply_suspect.h"
#include "core/shard/row_digest.h"
#include "core/shard/send.h"
#include "core/shard/serf_turn.h"
#include "core/shard/sync_lanes.h"
#include "core/swim/versions.h"

namespace starling {

NodeRecords::NodeRecords(Node& node, Instant now)
    : node_(node), now_(now), digest_(node.view->digests(node.id, tables_)) {}

void NodeRecords::for_each_in_buckets(Bucket first, std::uint32_t buckets,
                                      const RecordVisitor& visit) const {
  bool more = true;
  node_.members.for_each_in_buckets(first, buckets, [&](Slot slot) {
    if (!more || !node_.members.listed(slot) || !is_digested(node_.members.state(slot))) return;
    more = visit(record_of(node_, slot));
  });
}

std::optional<MemberRecord> NodeRecords::find(NameHash hash, std::string_view name) const {
  const std::optional<Slot> slot = node_.members.find(hash, name);
  if (!slot || !node_.members.listed(*slot)) return std::nullopt;
  return record_of(node_, *slot);
}

void NodeRecords::apply(const MemberRecord& record, const Endpoint& from) {
  ++node_.counters.sync_rows_in;
  switch (record.state) {
    case MemberState::alive:
      apply_alive_record(record, from);
      break;
    case MemberState::suspect:
    case MemberState::dead:
      apply_suspect(
          node_, now_,
          {.incarnation = record.incarnation, .node = record.name, .from = node_.speaker_name()});
      break;
    case MemberState::left:
      apply_dead(node_, now_,
                 {.incarnation = record.incarnation, .node = record.name, .from = record.name}, 0);
      break;
  }
  if (record.status_time == LamportTime{}) return;
  if (record.state != MemberState::left) {
    apply_join_intent(node_, now_, {.time = record.status_time, .node = record.name});
    return;
  }
  // As a push/pull state lists it: one step past the time it gives.
  const LamportTime after{to_number(record.status_time) + 1};
  apply_leave_intent(node_, now_, {.time = after, .node = record.name, .prune = false});
}

void NodeRecords::apply_alive_record(const MemberRecord& record, const Endpoint& from) {
  const std::array<std::byte, versions_bytes> versions = write_versions(record.versions);
  TokenBucket& allowance = node_.sync->gossip_allowance;
  const std::size_t cost = record.name.size() + record.meta.size() + 64;
  const bool gossip = allowance.allowance(now_) >= cost;
  if (gossip) allowance.spend(cost);
  apply_alive(node_, now_,
              {.incarnation = record.incarnation,
               .node = record.name,
               .address = record.endpoint.address.bytes(),
               .port = record.endpoint.port,
               .meta = record.meta,
               .versions = versions},
              {.sender = &from, .quiet = !gossip});
}

void NodeRecords::send(const Endpoint& to, Bytes message) {
  if (!node_.alone() && is_sync(message, SyncKind::finished, false)) {
    return hold(node_, now_, to, message, true);
  }
  node_.counters.sync_bytes_out += message.size();
  send_uncompressed(node_, to, message);
}

std::span<const Symbol> NodeRecords::keep_own(std::span<Symbol> symbols, const SyncHeader& header,
                                              const Endpoint& to) {
  if (node_.alone()) return symbols;
  return ask_owners(node_, symbols, header, to);
}

void NodeRecords::send_unseen_of_others(Bucket first, std::uint32_t buckets,
                                        std::span<const std::uint32_t> fingerprints,
                                        const SyncHeader& header, const Endpoint& to) {
  ask_for_unseen(node_, {first, buckets}, fingerprints, header, to);
}

RecordSource::Turn NodeRecords::turn_at(Bucket first, std::uint32_t buckets) const {
  const std::uint32_t lanes = owners_of(node_, {first, buckets});
  const std::uint32_t mine = 1u << static_cast<unsigned>(node_.id);
  const auto of = static_cast<std::uint32_t>(std::popcount(lanes));
  if ((lanes & mine) == 0) return {.place = of, .of = of};
  return {.place = static_cast<std::uint32_t>(std::popcount(lanes & (mine - 1))), .of = of};
}

}  // namespace starling
