// NOTE from the lead: the shard is already coded against exactly this interface (core/shard/sessions.h, stream_turn.cc,
// merge.h on branch lane). Keep names and signatures, add private members and better comments, delete this note.
// One message arriving on a stream, as an incremental machine: label, encrypted frame, compression,
// then the message itself. protocol/memberlist sections 5, 6.10, 6.11 and 21.
#pragma once

#include "wire/envelope.h"
#include "wire/push_pull.h"

namespace starling {

struct InboundLimits {
  std::size_t frame_bytes_max = 20u << 20;          // an encrypted frame, without its header
  std::size_t inflated_bytes_max = 40u << 20;       // one decompressed message
  std::size_t plain_bytes_max = std::size_t{1} << 31;  // an unencrypted message
  std::int64_t user_message_bytes_max = 20 << 20;
  PushPullLimits push_pull;
};

// Work memory; must outlive the stream. Never cleared, so untouched pages cost nothing.
struct InboundMemory {
  MutableBytes frame;   // InboundStream::frame_room_bytes(limits)
  MutableBytes carry;   // an item that a chunk boundary splits: 64 KiB
  MutableBytes window;  // decompressed bytes on their way: 64 KiB
};

// Called for what is read, in order. False refuses the rest.
class InboundSink {
 public:
  virtual ~InboundSink() = default;
  virtual bool on_push_pull_header(const PushPullHeader& header) = 0;
  virtual bool on_node(const NodeState& state) = 0;
  virtual bool on_user_state(Bytes part) = 0;
  virtual bool on_user_message_header(const UserHeader& header) = 0;
  virtual bool on_user_bytes(Bytes part) = 0;
  virtual bool on_ping(const Ping& ping) = 0;
  virtual bool on_ack(const Ack& ack) = 0;
  virtual bool on_error_message(const ErrorMessage& message) = 0;
};

class InboundStream {
 public:
  static std::size_t frame_room_bytes(const InboundLimits& limits);
  InboundStream(const InboundLimits& limits, const EnvelopePolicy& policy, Cipher& cipher,
                const InboundMemory& memory);
  // For a new stream. `accepted`: we are the accepting side, which expects the label header.
  void reset(bool accepted);

  enum class Progress : std::uint8_t { more, done, refused };
  Decoded<Progress> feed(Bytes chunk, InboundSink& sink);
  // The peer ended its side. `done` for a stream that brought nothing at all.
  Decoded<Progress> finish();
  // After an error: whether section 5.4 asks for an err answer.
  bool answer_with_error() const;
};

}  // namespace starling
