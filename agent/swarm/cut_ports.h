// CutPorts: an engine's ports with the faults of the swarm on top: lost datagrams, a cut network.
//
// All engines share one Cuts, which says who cannot reach whom; each has CutPorts around ports of
// whatever kind. A datagram is judged when it is sent. A connect across the cut fails as
// unreachable at once; a stream that is open already ends as its own deadlines will have it.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "core/base/rng.h"
#include "io/ports.h"

namespace starling::agent::swarm {

// Any thread sets and reads; a change counts for what is sent from then on. Relaxed, because
// nothing else is published by it.
class Cuts {
 public:
  // Engines below `side` and the others cannot reach each other. 0: everybody can.
  void split(std::uint32_t side) { side_.store(side, std::memory_order_relaxed); }
  // Each datagram is lost with this probability.
  void lose(double probability) { loss_.store(probability, std::memory_order_relaxed); }

  bool active() const {
    return side_.load(std::memory_order_relaxed) != 0 || loss_.load(std::memory_order_relaxed) > 0;
  }
  double loss() const { return loss_.load(std::memory_order_relaxed); }
  bool between(std::uint32_t engine, const Endpoint& other) const;

 private:
  std::atomic<std::uint32_t> side_ = 0;
  std::atomic<double> loss_ = 0;
};

class CutPorts final : public io::Ports {
 public:
  struct Options {
    std::uint32_t engine = 0;
    std::uint64_t seed = 0;
  };
  // `cuts` must outlive the ports.
  CutPorts(std::unique_ptr<io::Ports> inner, const Cuts& cuts, const Options& options);

  io::DatagramPort& datagrams() override { return datagrams_; }
  io::StreamPort& streams() override { return streams_; }
  void wait(Duration at_most) override { inner_->wait(at_most); }
  void wake() override { inner_->wake(); }
  Endpoint bound() const override { return inner_->bound(); }
  std::string_view name() const override { return inner_->name(); }
  const io::PortCounters& counters() const override { return inner_->counters(); }
  void leave() override { inner_->leave(); }
  // Datagrams that were not sent because of a fault. The lane's thread.
  std::uint64_t lost() const { return datagrams_.lost; }

 private:
  struct Datagrams final : io::DatagramPort {
    Datagrams(io::DatagramPort& to, const Cuts& shared, const Options& options)
        : inner(&to), cuts(&shared), engine(options.engine), rng(options.seed) {}
    std::size_t receive(std::span<RxPacket> burst) override { return inner->receive(burst); }
    void release(std::span<const RxPacket> burst) override { inner->release(burst); }
    std::size_t borrow(std::span<TxPacket> blanks) override { return inner->borrow(blanks); }
    void send(std::span<const TxPacket> filled) override;
    io::DatagramPort* inner;
    const Cuts* cuts;
    std::uint32_t engine;
    Rng rng;
    std::uint64_t lost = 0;
  };
  struct Streams final : io::StreamPort {
    Streams(io::StreamPort& to, const Cuts& shared, std::uint32_t own)
        : inner(&to), cuts(&shared), engine(own) {}
    void submit(std::span<const StreamOp> ops) override;
    std::size_t deliver(Sink& sink) override;
    io::StreamPort* inner;
    const Cuts* cuts;
    std::uint32_t engine;
    std::vector<StreamEvent> refused;  // one for each connect of a turn at most
  };

  std::unique_ptr<io::Ports> inner_;
  Datagrams datagrams_;
  Streams streams_;
};

}  // namespace starling::agent::swarm
