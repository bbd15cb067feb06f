#include "core/stream/inbound.h"

#include <cstring>

#include "wire/base/check.h"

namespace starling {
namespace {

constexpr std::byte encrypt_marker{static_cast<std::uint8_t>(MessageType::encrypt)};
constexpr std::byte compress_marker{static_cast<std::uint8_t>(MessageType::compress)};
constexpr std::size_t frame_prefix_bytes = 1 + nonce_bytes;

}  // namespace

InboundStream::InboundStream(const InboundLimits& limits, const EnvelopePolicy& policy,
                             Cipher& cipher, const InboundMemory& memory)
    : limits_(limits),
      policy_(&policy),
      cipher_(&cipher),
      frame_(memory.frame),
      message_({limits.push_pull, limits.user_message_bytes_max}, memory.carry),
      compress_(limits.inflated_bytes_max, memory.carry, memory.window) {
  CHECK(frame_.size() >= frame_room_bytes(limits));
  CHECK(limits.plain_bytes_max > 0);
}

void InboundStream::reset(bool accepted) {
  message_.reset();
  compress_.reset();
  label_bytes_ = 0;
  frame_header_bytes_ = 0;
  frame_bytes_ = 0;
  frame_filled_ = 0;
  plain_bytes_ = 0;
  stage_ = accepted ? Stage::label : Stage::layer;
  nothing_yet_ = true;
  answer_ = false;
}

Decoded<StreamProgress> InboundStream::feed(Bytes chunk, InboundSink& sink) {
  nothing_yet_ = nothing_yet_ && chunk.empty();
  while (!chunk.empty() && stage_ < Stage::done) {
    switch (stage_) {
      case Stage::label:
        read_label(chunk);
        break;
      case Stage::layer:
        choose_layer(chunk);
        break;
      case Stage::frame_header:
        read_frame_header(chunk);
        break;
      case Stage::frame:
        read_frame(chunk, sink);
        break;
      default:
        read_plain(chunk, sink);
        chunk = {};
        break;
    }
  }
  switch (stage_) {
    case Stage::done:
      return Progress::done;
    case Stage::refused:
      return Progress::refused;
    case Stage::failed:
      return std::unexpected(error_);
    default:
      return Progress::more;
  }
}

Decoded<StreamProgress> InboundStream::finish() {
  if (stage_ == Stage::failed) return std::unexpected(error_);
  if (stage_ == Stage::refused) return Progress::refused;
  if (stage_ == Stage::done || nothing_yet_) return Progress::done;
  fail({"stream", "", WireFault::truncated, 0}, false);
  return std::unexpected(error_);
}

// Byte by byte: it is at most 257 of them, once per connection.
void InboundStream::read_label(Bytes& chunk) {
  label_[label_bytes_] = chunk[0];
  const auto label = inspect_stream_label(Bytes(label_).first(label_bytes_ + 1), policy_->label);
  if (!label) return fail(label.error(), false);
  if (label->complete) stage_ = Stage::layer;
  // Without a header the byte belongs to the message.
  if (label->complete && label->header_bytes == 0) return;
  ++label_bytes_;
  chunk = chunk.subspan(1);
}

void InboundStream::choose_layer(Bytes chunk) {
  if (chunk[0] == encrypt_marker) {
    if (!cipher_->enabled()) return fail({"encryption", "", WireFault::no_key, 0}, true);
    stage_ = Stage::frame_header;
    return;
  }
  if (cipher_->enabled() && policy_->verify_incoming) {
    return fail({"encryption", "", WireFault::no_key, 0}, true);
  }
  begin_plain(chunk[0]);
}

void InboundStream::read_frame_header(Bytes& chunk) {
  if (frame_header_bytes_ > 0) {
    frame_bytes_ = (frame_bytes_ << 8) | std::to_integer<std::uint32_t>(chunk[0]);
  }
  chunk = chunk.subspan(1);
  if (++frame_header_bytes_ < FrameHeader::size) return;
  if (frame_bytes_ > limits_.frame_bytes_max) {
    return fail({"encryption", "length", WireFault::too_large, 1}, true);
  }
  if (frame_bytes_ < encrypt_overhead_v1) {
    return fail({"encryption", "length", WireFault::truncated, 1}, true);
  }
  stage_ = Stage::frame;
}

void InboundStream::read_frame(Bytes& chunk, InboundSink& sink) {
  const Bytes piece = chunk.first(std::min(chunk.size(), frame_bytes_ - frame_filled_));
  std::memcpy(frame_.data() + frame_filled_, piece.data(), piece.size());
  frame_filled_ += piece.size();
  chunk = chunk.subspan(piece.size());
  if (frame_filled_ < frame_bytes_) return;

  const FrameHeader header(frame_bytes_, policy_->label.label);
  const MutableBytes sealed = frame_.first(frame_bytes_);
  const auto plain =
      cipher_->open(sealed, header.associated(),
                    sealed.subspan(frame_prefix_bytes, frame_bytes_ - encrypt_overhead_v1));
  if (!plain) return fail(plain.error(), true);
  begin_plain((*plain)[0]);
  read_plain(*plain, sink);
  if (stage_ < Stage::done) {  // all there is has been read
    fail({"stream", "", WireFault::truncated, 0}, stage_ == Stage::compressed);
  }
}

void InboundStream::begin_plain(std::byte type) {
  stage_ = type == compress_marker ? Stage::compressed : Stage::message;
}

void InboundStream::read_plain(Bytes plain, InboundSink& sink) {
  const bool compressed = stage_ == Stage::compressed;
  const bool at_start = plain_bytes_ == 0;
  // Frames have their own limit.
  const std::size_t room = frame_bytes_ > 0 ? plain.size() : limits_.plain_bytes_max - plain_bytes_;
  Bytes permitted = plain.first(std::min(plain.size(), room));
  plain_bytes_ += permitted.size();
  if (compressed && at_start) permitted = permitted.subspan(1);
  const auto progress =
      compressed ? compress_.feed(permitted, message_, sink) : message_.feed(permitted, sink);
  if (!progress) return fail(progress.error(), compressed && !compress_.failed_in_message());
  if (*progress == Progress::done) stage_ = Stage::done;
  if (*progress == Progress::refused) stage_ = Stage::refused;
  if (*progress == Progress::more && plain.size() > room) {
    fail({"stream", "", WireFault::too_large, 0}, compressed);
  }
}

void InboundStream::fail(const WireError& error, bool answer) {
  error_ = error;
  answer_ = answer;
  stage_ = Stage::failed;
}

}  // namespace starling
