// MemberBag: member rows in memory, merged as memberlist does. A RecordSource for tests and
// benchmarks.
//
// Rows lie in one vector for each bucket. What is sent goes to a function of the owner. Records
// with names above 24 bytes are refused.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/digest/record_source.h"
#include "tests/support/arena_block.h"

namespace starling::test {

struct BagRow {
  std::array<char, 24> name{};
  std::uint8_t name_bytes = 0;
  MemberState state = MemberState::alive;
  std::uint16_t meta = 0;  // which of the bag's metas
  Incarnation incarnation{1};
  NameHash hash{};
  LamportTime status_time{1};
  Endpoint endpoint;
};

class MemberBag : public RecordSource {
 public:
  using Send = std::function<void(const Endpoint& to, Bytes message)>;
  struct Options {
    std::uint32_t cells = 4096;
    Bytes key;
  };
  explicit MemberBag(const Options& options);
  MemberBag(const MemberBag&) = delete;
  MemberBag& operator=(const MemberBag&) = delete;

  void on_send(Send send) { send_ = std::move(send); }

  // Adds a row of this name, or replaces it. Names have 24 bytes at most.
  void put(const MemberRecord& record);
  void erase(std::string_view name);
  // All marks anew, in one go.
  void rebuild();
  std::size_t size() const;
  std::uint64_t applied() const { return applied_; }

  const DigestSum& digest() const override { return sum_; }
  std::span<const Cell> cells() const { return digest_->cells(); }
  void for_each_in_buckets(Bucket first, std::uint32_t buckets,
                           const RecordVisitor& visit) const override;
  std::optional<MemberRecord> find(NameHash hash, std::string_view name) const override;
  void apply(const MemberRecord& record, const Endpoint& from) override;
  void send(const Endpoint& to, Bytes message) override { send_(to, message); }

  // While true put() and erase() leave the digest alone: for filling a large bag before rebuild().
  bool filling = false;

 private:
  MemberRecord view(const BagRow& row) const;
  BagRow* row_of(NameHash hash, std::string_view name);
  const BagRow* row_of(NameHash hash, std::string_view name) const;
  std::uint16_t meta_of(Bytes meta);
  void changed(const std::optional<Mark>& before, const BagRow* after);

  ArenaBlock block_;
  std::unique_ptr<DigestTable> digest_;
  std::array<const DigestTable*, 1> tables_{digest_.get()};
  DigestSum sum_{tables_};
  std::vector<std::vector<BagRow>> buckets_;
  std::vector<std::string> metas_;
  Send send_;
  std::uint64_t applied_ = 0;
};

// Row `number` of a made-up cluster. `plain_names`: node-00000000123, else 16 hexadecimal digits
// that have nothing in common. `name` is the memory for the name.
MemberRecord made_up_record(std::uint32_t number, bool plain_names, std::string& name);

}  // namespace starling::test
