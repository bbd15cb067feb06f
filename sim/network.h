// Datagrams in flight: loss, duplication, reordering, corruption, latency, bounded.
//
// The world sends what the lanes filled and takes out what is due. Datagrams of one instant come
// out in the order they were sent. Every send makes the same number of draws whatever the
// conditions are, so that switching one fault off keeps the fate of all other datagrams.
//
// A flipped bit reaches the receiver only when the cluster encrypts: UDP's own checksum catches it
// otherwise, and the datagram is gone. Owned by the world; one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/time.h"
#include "sim/links.h"
#include "sim/node_id.h"
#include "sim/random.h"
#include "sim/report.h"
#include "wire/base/types.h"

namespace starling::sim {

// Probabilities per datagram, 0 to 1.
struct NetworkConditions {
  double loss = 0;
  double duplicate = 0;
  double reorder = 0;  // held back by up to reorder_delay_max
  double corrupt = 0;  // one to three bits flipped
  Duration reorder_delay_max = std::chrono::milliseconds(200);
};

struct Datagram {
  Instant arrival{};
  std::uint64_t order = 0;
  NodeId from{};
  NodeId to{};
  std::vector<std::byte> bytes;
};

// What became of a datagram at the moment of sending, for the trace.
enum class Fate : std::uint8_t { sent, lost, blocked, misaddressed, overflow };

class Network {
 public:
  // `in_flight_max` bounds memory; what exceeds it is lost, as in a full switch.
  Network(const Links& links, Random random, bool deliver_corrupted, Report& report,
          std::size_t in_flight_max = 1u << 20);

  NetworkConditions& conditions() { return conditions_; }

  Fate send(Instant now, NodeId from, const Endpoint& to, Bytes bytes);

  // Instant::max() when nothing is in flight.
  Instant next_due() const;
  // The next datagram that arrives at `now` or before; its link may have closed meanwhile, then it
  // is dropped here. Give the bytes back with recycle().
  std::optional<Datagram> pop_due(Instant now);
  void recycle(std::vector<std::byte>&& bytes);

  std::size_t in_flight() const { return heap_.size(); }

 private:
  struct Draws;
  Fate put(Instant arrival, NodeId from, NodeId to, Bytes bytes,
           std::optional<std::uint64_t> flip_bits);
  static void flip(MutableBytes bytes, std::uint64_t draw);

  const Links& links_;
  Random random_;
  bool deliver_corrupted_;
  Report& report_;
  std::size_t in_flight_max_;
  NetworkConditions conditions_;
  std::uint64_t order_ = 0;
  std::vector<Datagram> heap_;
  std::vector<std::vector<std::byte>> spare_;
};

}  // namespace starling::sim
