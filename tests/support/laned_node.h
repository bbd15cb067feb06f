// One engine of several lanes without a network; see lone_node.h. For tests.
//
// All lanes are polled in turn until none has mail or work. Packets of all lanes are collected
// together.
#pragma once

#include <set>

#include "tests/support/lone_node.h"
#include "wire/envelope.h"

namespace starling::test {

class LanedNode {
 public:
  LanedNode(EngineOptions options, std::uint32_t lanes);

  Instant now() const { return now_; }
  const EngineOptions& options() const { return options_; }

  // One datagram, at this lane's socket.
  void receive(std::size_t lane, Bytes datagram,
               const Endpoint& from = {IpAddress::v4(127, 0, 0, 9), 7946});
  template <class Message>
  void receive_message(std::size_t lane, const Message& message) {
    std::array<std::byte, 4096> room;
    Writer out(room);
    encode(message, out);
    receive(lane, out.written());
  }
  void advance(Duration duration);
  void command(const Command& command);
  void stream_event(const StreamEvent& event);

  std::vector<SentPacket> take_packets() { return std::exchange(packets_, {}); }
  std::vector<ByteVector> take_messages(MessageType type);
  std::vector<StreamOp> take_stream_ops() { return std::exchange(ops_, {}); }
  std::vector<KeptEvent> take_events() { return std::exchange(events_, {}); }
  Stats stats();

 private:
  void turn_all();
  bool turn(std::size_t lane, std::span<const RxPacket> rx);

  EngineOptions options_;
  std::unique_ptr<ArenaBlock> memory_;
  Instant now_{std::chrono::seconds(1000)};
  std::vector<Instant> due_;
  std::vector<std::byte> rooms_, workspace_;
  std::vector<Bytes> parts_;
  std::optional<Cipher> cipher_;
  std::vector<SentPacket> packets_;
  std::vector<StreamOp> ops_;
  std::vector<KeptEvent> events_;
  std::optional<Engine> engine_;
};

}  // namespace starling::test
