// Everything one turn of a shard produces: filled packets and stream operations, as plain arrays.
//
// The runner lends blank packets, the shard fills them from the front, the runner sends them. The
// production loop, an embedder, the simulator and the tests all read the same arrays.
// Owned by the shard; one thread.
#pragma once

#include <span>

#include "core/base/arena.h"
#include "core/shard/packets.h"
#include "core/shard/streams.h"
#include "wire/base/check.h"

namespace starling {

class Outbox {
 public:
  // A turn stops taking received packets when fewer blanks than this are left: they are for timers.
  static constexpr std::size_t packets_reserved = 16;

  Outbox(Arena& arena, std::size_t stream_ops_max) : ops_(arena.make<StreamOp>(stream_ops_max)) {}

  void lend(std::span<TxPacket> blanks) {
    blanks_ = blanks;
    filled_ = 0;
  }
  std::size_t packets_left() const { return blanks_.size() - filled_; }
  std::size_t filled() const { return filled_; }

  // The next blank packet, addressed; nullptr when none is left. Call commit() once it is filled.
  TxPacket* packet(const Endpoint& to) {
    if (filled_ == blanks_.size()) return nullptr;
    TxPacket& blank = blanks_[filled_];
    blank.to = to;
    blank.bytes = 0;
    return &blank;
  }
  void commit(std::size_t bytes) {
    blanks_[filled_].bytes = static_cast<std::uint32_t>(bytes);
    ++filled_;
  }

  // Each session has at most a connect, a write and a close outstanding between two takes, so the
  // capacity (four a session) cannot be exceeded.
  void stream(const StreamOp& op) {
    CHECK(op_count_ < ops_.size());
    ops_[op_count_++] = op;
  }
  std::span<const StreamOp> take_stream_ops() {
    const std::span<const StreamOp> taken = ops_.subspan(taken_, op_count_ - taken_);
    taken_ = op_count_;
    return taken;
  }
  // Called at the start of every call into the shard: what was taken before is forgotten.
  void drop_taken_ops() {
    if (taken_ != op_count_) return;
    taken_ = op_count_ = 0;
  }

 private:
  std::span<TxPacket> blanks_;
  std::size_t filled_ = 0;
  std::span<StreamOp> ops_;
  std::size_t op_count_ = 0;
  std::size_t taken_ = 0;
};

}  // namespace starling
