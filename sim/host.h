// The machine of one node: its process when one runs, its socket's buffer, and when it is due.
//
// The world puts datagrams and stream events in and polls; what the lane produces goes to the
// outlet. Owned by the world; one thread.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "sim/network.h"
#include "sim/process.h"
#include "sim/random.h"

namespace starling::sim {

// Where a lane's products go. Bytes and events are valid during the call only, except that the
// bytes of a stream write stay valid as StreamOp says.
class HostOutlet {
 public:
  virtual ~HostOutlet() = default;
  virtual void on_packet(NodeId from, const Endpoint& to, Bytes bytes) = 0;
  virtual void on_stream_ops(NodeId from, std::span<const StreamOp> ops) = 0;
  virtual void on_event(NodeId from, const Event& event) = 0;
};

class Host {
 public:
  // `packet_room_bytes` as EngineOptions asks for it.
  Host(NodeId id, std::size_t packet_room_bytes, HostOutlet& outlet);

  bool running() const { return process_ != nullptr; }
  bool paused() const { return paused_ > 0; }
  void start(const EngineOptions& options, Instant now);
  void stop();
  // Nest. True when the state changed.
  bool pause();
  bool resume();

  bool send(const Command& command);
  // Into the socket's buffer; lost when it is full or nobody listens.
  void put(Datagram&& datagram, Network& network);
  void on_stream(Instant now, const StreamEvent& event);

  // Instant::max() when it waits for the outside only.
  Instant next_due() const;
  bool ready(Instant now) const { return running() && !paused() && next_due() <= now; }
  // Polls until the lane comes to rest; how many polls that took. Gives up after `polls_max`.
  std::uint32_t poll(Instant now, Random& random, Network& network, std::uint32_t polls_max);

 private:
  // One lane of the process: its socket's buffer, and when it wants to be polled.
  struct Seat {
    std::deque<Datagram> inbox;
    Instant due = Instant::max();
    bool dirty = false;  // has commands or stream events to look at
  };

  // Which lane a datagram reaches: the system hashes addresses.
  Seat& seat_for(const Datagram& datagram);
  bool lane_ready(std::size_t lane, Instant now) const;
  void poll_once(Instant now, Random& random, Network& network);
  void poll_lane(std::size_t lane, Instant now, Random& random, Network& network);

  NodeId id_;
  HostOutlet& outlet_;
  std::unique_ptr<Process> process_;
  std::uint32_t paused_ = 0;
  std::vector<Seat> seats_;
  std::vector<std::vector<std::byte>> rooms_;
  std::vector<TxPacket> blanks_;
  std::vector<RxPacket> received_;
};

}  // namespace starling::sim
