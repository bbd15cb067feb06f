// The message of a stream when its layers are off: type byte, then the body, in any pieces.
//
// protocol/memberlist sections 5.3, 6.10 and 6.11. A push/pull passes through item by item, a user
// message byte by byte; ping, ack and error are small and decoded whole. Owned by one
// InboundStream, used by its lane's thread; no allocation.
#pragma once

#include <optional>

#include "wire/push_pull.h"

namespace starling {

// Called for what is read, in order. False refuses the rest. Views live until the call returns.
// What was delivered before an error stays delivered; only `done` says that all of it was there.
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
  // Nodes that on_node will be called with next; a chance to fetch what they need from memory.
  virtual void expect_nodes(std::span<const NodeState>) {}
};

enum class StreamProgress : std::uint8_t { more, done, refused };

class MessageReader {
 public:
  struct Limits {
    PushPullLimits push_pull;
    std::int64_t user_message_bytes_max;
  };
  // `carry` holds an item that a chunk boundary splits, and bounds one item; it must outlive this.
  MessageReader(const Limits& limits, MutableBytes carry);
  void reset();

  // Takes the whole chunk; bytes after the message are ignored. An error or a refusal is final.
  // Errors: unsupported for a type that no stream starts with, and those of the bodies.
  Decoded<StreamProgress> feed(Bytes chunk, InboundSink& sink);
  // The type byte has been read.
  bool started() const { return stage_ != Stage::type; }

 private:
  enum class Stage : std::uint8_t {
    type,
    push_pull,
    user_header,
    user_body,
    small_message,
    done,
    refused,
    failed,
  };

  void begin(MessageType type);
  void read_push_pull(Bytes chunk, InboundSink& sink);
  void read_user_header(Bytes& chunk, InboundSink& sink);
  void read_user_body(Bytes& chunk, InboundSink& sink);
  void read_small_message(Bytes& chunk, InboundSink& sink);
  void settle(bool accepted);
  void fail(const WireError& error);

  Limits limits_;
  MutableBytes carry_room_;
  ValueCarry carry_;
  std::optional<PushPullReader> push_pull_;
  std::uint64_t user_bytes_left_ = 0;
  WireError error_;
  MessageType type_{};
  Stage stage_ = Stage::type;
};

}  // namespace starling
