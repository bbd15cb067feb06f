#include "core/stream/message_reader.h"

namespace starling {
namespace {

// Gives the push/pull reader's items to the stream's sink.
struct PushPullTo {
  InboundSink& sink;
  bool on_header(const PushPullHeader& header) { return sink.on_push_pull_header(header); }
  void expect_nodes(std::span<const NodeState> nodes) { sink.expect_nodes(nodes); }
  bool on_node(const NodeState& node) { return sink.on_node(node); }
  bool on_user_state(Bytes part) { return sink.on_user_state(part); }
};

}  // namespace

MessageReader::MessageReader(const Limits& limits, MutableBytes carry)
    : limits_(limits), carry_room_(carry), carry_(carry) {}

void MessageReader::reset() {
  carry_ = ValueCarry(carry_room_);
  push_pull_.reset();
  stage_ = Stage::type;
}

Decoded<StreamProgress> MessageReader::feed(Bytes chunk, InboundSink& sink) {
  if (stage_ == Stage::type && !chunk.empty()) {
    begin(static_cast<MessageType>(chunk[0]));
    chunk = chunk.subspan(1);
  }
  if (stage_ == Stage::push_pull) read_push_pull(chunk, sink);
  if (stage_ == Stage::user_header) read_user_header(chunk, sink);
  if (stage_ == Stage::user_body) read_user_body(chunk, sink);
  if (stage_ == Stage::small_message) read_small_message(chunk, sink);
  switch (stage_) {
    case Stage::done:
      return StreamProgress::done;
    case Stage::refused:
      return StreamProgress::refused;
    case Stage::failed:
      return std::unexpected(error_);
    default:
      return StreamProgress::more;
  }
}

void MessageReader::begin(MessageType type) {
  type_ = type;
  switch (type) {
    case MessageType::push_pull:
      push_pull_.emplace(limits_.push_pull, carry_room_);
      stage_ = Stage::push_pull;
      return;
    case MessageType::user:
      stage_ = Stage::user_header;
      return;
    case MessageType::ping:
    case MessageType::ack:
    case MessageType::error:
      stage_ = Stage::small_message;
      return;
    default:
      fail({"stream", "type", WireFault::unsupported, 0});
  }
}

void MessageReader::read_push_pull(Bytes chunk, InboundSink& sink) {
  PushPullTo to{sink};
  const auto progress = push_pull_->feed(chunk, to);
  if (!progress) return fail(progress.error());
  if (*progress != PushPullReader::Progress::more) {
    settle(*progress == PushPullReader::Progress::done);
  }
}

void MessageReader::read_user_header(Bytes& chunk, InboundSink& sink) {
  const auto item = carry_.next(chunk);
  if (!item) return fail(item.error());
  if (item->empty()) return;
  std::size_t used = 0;
  const auto header = decode_user_header(*item, used);
  if (!header) return fail(header.error());
  if (header->bytes < 0 || header->bytes > limits_.user_message_bytes_max) {
    return fail({"user", "UserMsgLen", WireFault::out_of_range, 0});
  }
  user_bytes_left_ = static_cast<std::uint64_t>(header->bytes);
  stage_ = Stage::user_body;
  const bool accepted = sink.on_user_message_header(*header);
  if (!accepted || user_bytes_left_ == 0) settle(accepted);
}

void MessageReader::read_user_body(Bytes& chunk, InboundSink& sink) {
  if (chunk.empty()) return;
  const Bytes part = chunk.first(
      static_cast<std::size_t>(std::min<std::uint64_t>(chunk.size(), user_bytes_left_)));
  user_bytes_left_ -= part.size();
  const bool accepted = sink.on_user_bytes(part);
  if (!accepted || user_bytes_left_ == 0) settle(accepted);
}

void MessageReader::read_small_message(Bytes& chunk, InboundSink& sink) {
  const auto body = carry_.next(chunk);
  if (!body) return fail(body.error());
  if (body->empty()) return;
  Scratch scratch;
  const auto deliver = [this](const auto& message, auto&& on_message) {
    if (!message) return fail(message.error());
    settle(on_message(*message));
  };
  if (type_ == MessageType::ping) {
    deliver(decode_ping(*body, scratch), [&](const Ping& ping) { return sink.on_ping(ping); });
  } else if (type_ == MessageType::ack) {
    deliver(decode_ack(*body, scratch), [&](const Ack& ack) { return sink.on_ack(ack); });
  } else {
    deliver(decode_error(*body, scratch),
            [&](const ErrorMessage& error) { return sink.on_error_message(error); });
  }
}

void MessageReader::settle(bool accepted) {
  stage_ = accepted ? Stage::done : Stage::refused;
}

void MessageReader::fail(const WireError& error) {
  error_ = error;
  stage_ = Stage::failed;
}

}  // namespace starling
