// One engine without a network: bytes go in, what it sends is collected and taken apart. For tests.
//
// Time stands still until advance() is called. Packets to anywhere are collected in order; so are
// stream operations, and the test plays the peer.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/engine/engine.h"
#include "tests/support/arena_block.h"
#include "tests/support/vectors.h"

namespace starling::test {

struct SentPacket {
  Endpoint to;
  ByteVector bytes;                  // as it left
  std::vector<ByteVector> messages;  // its messages, each with its type byte
};

// An event with its own copies of what Event only points to.
struct KeptEvent {
  Event event;
  std::string name, from, text;
  ByteVector payload, filters;
};

class LoneNode {
 public:
  explicit LoneNode(EngineOptions options);

  // A node named `name` at 127.0.0.1:7946 with small capacities, no compression, lan timing.
  static EngineOptions options_named(std::string name);

  const EngineOptions& options() const { return options_; }
  Instant now() const { return now_; }

  // One datagram from `from` (by default 127.0.0.9:7946).
  void receive(Bytes datagram, std::optional<Endpoint> from = std::nullopt);
  // The same, encoding a message first.
  template <class Message>
  void receive_message(const Message& message) {
    std::array<std::byte, 4096> room;
    Writer out(room);
    encode(message, out);
    receive(out.written());
  }
  // Lets time pass, stopping at every instant the node asks for.
  void advance(Duration duration);
  // One turn without input.
  void turn() { poll({}); }

  void command(const Command& command);
  void stream_event(const StreamEvent& event);

  std::vector<SentPacket> take_packets();
  // The messages of all packets sent since the last take, of one type only.
  std::vector<ByteVector> take_messages(MessageType type);
  std::vector<StreamOp> take_stream_ops();
  std::vector<KeptEvent> take_events();
  // The stats of this moment.
  Stats stats();

 private:
  void poll(std::span<const RxPacket> rx);
  void collect(const PollResult& result, std::span<TxPacket> blanks);

  EngineOptions options_;
  std::unique_ptr<ArenaBlock> memory_;
  Instant now_{};
  Instant next_due_{};
  std::vector<std::byte> rooms_, workspace_;
  std::vector<Bytes> parts_;
  std::vector<SentPacket> packets_;
  std::vector<StreamOp> ops_;
  std::vector<KeptEvent> events_;
  std::optional<Engine> engine_;
  // To take apart what was sent.
  EnvelopePolicy policy_;
  Cipher cipher_;
};

}  // namespace starling::test
