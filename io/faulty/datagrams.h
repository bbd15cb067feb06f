// FaultyDatagrams: another port's datagrams, some of them lost, corrupted, doubled or late.
//
// Owned by FaultyPorts; the lane's thread calls it. What each datagram meets is drawn from a
// generator per direction, the same number of draws for each, so equal seeds and equal traffic meet
// equal faults. Late ones wait in a bounded store; what finds it full is not delayed.
#pragma once

#include <array>
#include <vector>

#include "core/base/rng.h"
#include "io/faulty/faults.h"
#include "io/ports.h"
#include "io/slot_pool.h"

namespace starling::io {

class FaultyDatagrams final : public DatagramPort {
 public:
  struct Options {
    std::uint64_t seed = 0;
    std::size_t late_max = 1'024;  // per direction
    std::size_t datagram_bytes_max = 65'536;
  };
  // What it did so far, both directions together.
  struct Done {
    std::uint64_t lost = 0, corrupted = 0, duplicated = 0, delayed = 0;
    friend bool operator==(const Done&, const Done&) = default;
  };

  static std::expected<std::unique_ptr<FaultyDatagrams>, std::string> create(
      DatagramPort& inner, const FaultControls& controls, const Options& options);

  std::size_t receive(std::span<RxPacket> burst) override;
  void release(std::span<const RxPacket> burst) override;
  std::size_t borrow(std::span<TxPacket> blanks) override { return inner_->borrow(blanks); }
  void send(std::span<const TxPacket> filled) override;

  // Sends what is late enough; call it in every turn.
  void turn();
  Instant next_due() const;
  const Done& done() const { return done_; }

 private:
  // What one datagram meets.
  struct Fate {
    bool lost = false, corrupted = false, duplicated = false, delayed = false;
    std::uint64_t bit = 0;  // which one is flipped, modulo the length
    Duration by{};
  };
  struct Late {
    Instant due;
    std::uint64_t order;  // of two with one due instant, the earlier first
    Endpoint peer;
    std::size_t slot;
    std::size_t bytes;
    friend bool operator>(const Late& a, const Late& b) {
      return a.due != b.due ? a.due > b.due : a.order > b.order;
    }
  };
  // One direction's store: a heap, soonest first.
  struct Store {
    SlotPool slots;
    std::vector<Late> heap;
    Rng rng;

    bool put(Instant due, std::uint64_t order, const Endpoint& peer, Bytes bytes);
    bool due(Instant now) const { return !heap.empty() && heap.front().due <= now; }
    Late take();
  };

  FaultyDatagrams(DatagramPort& inner, const FaultControls& controls, Store outgoing,
                  Store incoming);
  Fate draw(Rng& rng, const DatagramFaults& faults);
  static void flip(MutableBytes bytes, std::uint64_t bit);

  DatagramPort* inner_;
  const FaultControls* controls_;
  Store outgoing_;
  Store incoming_;
  std::uint64_t order_ = 0;
  Done done_;
};

}  // namespace starling::io
