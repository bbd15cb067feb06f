// NodeRecords: a lane's rows and packets, as an exchange of digests wants them.
//
// The digest is that of all lanes, the rows are this lane's; what concerns those of other lanes is
// asked of them by mail (sync_lanes.h). Made for one call, on the lane that makes it.
#pragma once

#include "core/digest/record_source.h"
#include "core/shard/node.h"

namespace starling {

class NodeRecords final : public RecordSource {
 public:
  NodeRecords(Node& node, Instant now);
  NodeRecords(const NodeRecords&) = delete;
  NodeRecords& operator=(const NodeRecords&) = delete;

  const DigestSum& digest() const override { return digest_; }
  void for_each_in_buckets(Bucket first, std::uint32_t buckets,
                           const RecordVisitor& visit) const override;
  std::optional<MemberRecord> find(NameHash hash, std::string_view name) const override;
  void apply(const MemberRecord& record, const Endpoint& from) override;
  // A question where the peer stands waits until the other lanes are through.
  void send(const Endpoint& to, Bytes message) override;

  bool owns(NameHash hash) const override { return node_.owns(hash); }
  std::span<const Symbol> keep_own(std::span<Symbol> symbols, const SyncHeader& header,
                                   const Endpoint& to) override;
  void send_unseen_of_others(Bucket first, std::uint32_t buckets,
                             std::span<const std::uint32_t> fingerprints, const SyncHeader& header,
                             const Endpoint& to) override;
  Turn turn_at(Bucket first, std::uint32_t buckets) const override;

 private:
  void apply_alive_record(const MemberRecord& record, const Endpoint& from);

  Node& node_;
  Instant now_;
  std::array<const DigestTable*, lanes_max> tables_;
  DigestSum digest_;
};

}  // namespace starling
