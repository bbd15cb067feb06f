// A node without ports for the benchmarks: an engine on its own memory, with its timers off, and
// the blank packets that a port would lend.
//
// A node that has run for a while does not pay for fresh pages, and the time of the protocol is
// what is measured: where a benchmark needs a node without history, it rehearses once and restarts
// the node on the pages that the rehearsal has touched.
#pragma once

#include <optional>

#include "core/engine/engine.h"
#include "io/mapped_memory.h"

namespace starling::bench {

class BenchNode {
 public:
  struct Options {
    std::uint32_t members_max = 1024;
    bool sealed = false;  // AES-128-GCM on every packet
  };
  // The key of sealed nodes.
  static AesKey key();

  explicit BenchNode(const Options& options);

  // Forgets everything; the memory keeps its pages.
  void restart();

  // For a benchmark that turns the lane on a port of its own, with instants of its own.
  Lane& lane() { return engine_->lane(); }

  // One turn, a microsecond after the last; how many packets were answered with.
  std::size_t poll(std::span<const RxPacket> rx);
  // As a port would: an accepted stream, all bytes in pieces of 64 KiB, and then a reset.
  void accept_stream();
  void feed_stream(Bytes bytes);
  void reset_stream();

  // Takes all events out of the ring, as the owner's thread would.
  void drain_events();
  // What the node says about itself.
  Stats stats();

  const TxPacket& answer(std::size_t i) const { return blanks_[i]; }

 private:
  EngineOptions options_;
  Instant now_{};
  io::MappedMemory memory_;
  std::optional<Engine> engine_;
  std::vector<std::byte> rooms_;
  std::array<TxPacket, 2 * Lane::blanks_wanted> blanks_;
};

}  // namespace starling::bench
