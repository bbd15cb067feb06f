// FaultyStreams: another port's streams, some of them refused, reset or slow.
//
// Owned by FaultyPorts; the lane's thread calls it. Bounded by what the lane has open.
#pragma once

#include <vector>

#include "core/base/rng.h"
#include "io/faulty/faults.h"
#include "io/ports.h"

namespace starling::io {

class FaultyStreams final : public StreamPort {
 public:
  struct Done {
    std::uint64_t refused = 0, reset = 0, slowed = 0;
    friend bool operator==(const Done&, const Done&) = default;
  };
  FaultyStreams(StreamPort& inner, const FaultControls& controls, std::uint64_t seed)
      : inner_(&inner), controls_(&controls), rng_(seed) {}

  void submit(std::span<const StreamOp> ops) override;
  std::size_t deliver(Sink& sink) override;

  Instant next_due() const;
  bool due() const { return !refused_.empty(); }
  const Done& done() const { return done_; }

 private:
  // A write that goes out in pieces.
  struct SlowWrite {
    StreamId stream;
    Bytes rest;
    Instant due;          // when the next piece goes; max() while one is under way
    bool finish = false;  // half-close after the last piece
  };
  class Intercept final : public Sink {
   public:
    Intercept(FaultyStreams& streams, Sink& sink) : streams_(&streams), sink_(&sink) {}
    void on_event(const StreamEvent& event) override { streams_->pass(event, *sink_); }

   private:
    FaultyStreams* streams_;
    Sink* sink_;
  };

  void pass(const StreamEvent& event, Sink& sink);
  void send_piece(SlowWrite& write);
  SlowWrite* find(StreamId stream);
  void forget(StreamId stream);

  StreamPort* inner_;
  const FaultControls* controls_;
  Rng rng_;
  Faults faults_;  // as read at the start of a call
  std::vector<SlowWrite> slow_;
  std::vector<StreamEvent> refused_;
  std::vector<StreamOp> later_;  // for the inner port once it has delivered
  std::vector<StreamId> dead_;   // reset in this call; the inner port does not know it yet
  std::size_t passed_ = 0;
  Done done_;
};

}  // namespace starling::io
