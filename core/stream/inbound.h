// One message arriving on a stream, as an incremental machine: label, encrypted frame, compression,
// then the message itself. protocol/memberlist sections 5, 6.10, 6.11 and 21.
//
// Pieces of any size go in, items go to a sink; nothing is held but what a piece's end has split
// and an encrypted frame, which must be authenticated whole before a byte of it is believed. No
// input and output of its own, no allocation. Owned by a stream's session, used by its lane's
// thread, used again for the next stream.
#pragma once

#include "core/stream/compress_reader.h"
#include "core/stream/message_reader.h"
#include "wire/envelope.h"

namespace starling {

struct InboundLimits {
  std::size_t frame_bytes_max = 20u << 20;             // an encrypted frame, without its header
  std::size_t inflated_bytes_max = 40u << 20;          // one decompressed message
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

class InboundStream {
 public:
  using Progress = StreamProgress;

  static std::size_t frame_room_bytes(const InboundLimits& limits) {
    return limits.frame_bytes_max;
  }
  // `policy` and `cipher` must outlive the stream and are asked anew for each message.
  InboundStream(const InboundLimits& limits, const EnvelopePolicy& policy, Cipher& cipher,
                const InboundMemory& memory);
  // For a new stream. `accepted`: we are the accepting side, which expects the label header.
  void reset(bool accepted);

  // Takes the whole chunk; bytes after the message are ignored. An error or a refusal is final.
  Decoded<Progress> feed(Bytes chunk, InboundSink& sink);
  // The peer ended its side. `done` for a stream that brought nothing at all, and for one whose
  // message was complete; truncated for anything between.
  Decoded<Progress> finish();
  // After an error of feed(): whether section 5.4 asks for an err answer. True for what is wrong
  // with encryption and compression, false for labels, message bodies and early ends.
  bool answer_with_error() const { return answer_; }

 private:
  enum class Stage : std::uint8_t {
    label,
    layer,         // the first byte behind the label decides
    frame_header,  // the length of an encrypted frame
    frame,
    compressed,
    message,
    done,
    refused,
    failed,
  };

  void read_label(Bytes& chunk);
  void choose_layer(Bytes chunk);
  void read_frame_header(Bytes& chunk);
  void read_frame(Bytes& chunk, InboundSink& sink);
  void read_plain(Bytes plain, InboundSink& sink);
  void begin_plain(std::byte type);
  void fail(const WireError& error, bool answer);

  InboundLimits limits_;
  const EnvelopePolicy* policy_;
  Cipher* cipher_;
  MutableBytes frame_;
  MessageReader message_;
  CompressReader compress_;
  std::array<std::byte, 2 + label_bytes_max> label_;
  std::size_t label_bytes_ = 0;
  std::size_t frame_header_bytes_ = 0;
  std::uint32_t frame_bytes_ = 0;
  std::size_t frame_filled_ = 0;
  std::size_t plain_bytes_ = 0;
  WireError error_;
  Stage stage_ = Stage::layer;
  bool nothing_yet_ = true;
  bool answer_ = false;
};

}  // namespace starling
