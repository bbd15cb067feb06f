#include "core/stream/compress_reader.h"

#include "wire/base/check.h"
#include "wire/msgpack.h"

namespace starling {

CompressReader::CompressReader(std::size_t inflated_bytes_max, MutableBytes carry,
                               MutableBytes window)
    : inflated_bytes_max_(inflated_bytes_max), carry_room_(carry), window_(window), carry_(carry) {
  CHECK(!window.empty());
}

void CompressReader::reset() {
  carry_ = ValueCarry(carry_room_);
  scanner_.reset();
  decoder_.reset();
  header_bytes_ = 0;
  field_index_ = 0;
  inflated_ = 0;
  stage_ = Stage::header;
  buffer_seen_ = inflated_all_ = message_done_ = failed_in_message_ = false;
}

Decoded<StreamProgress> CompressReader::feed(Bytes chunk, MessageReader& message,
                                             InboundSink& sink) {
  while (stage_ < Stage::done && step(chunk, message, sink)) {
  }
  if (stage_ == Stage::failed) return std::unexpected(error_);
  if (stage_ == Stage::refused) return StreamProgress::refused;
  return stage_ == Stage::done ? StreamProgress::done : StreamProgress::more;
}

// False when the chunk is used up or the stage is final.
bool CompressReader::step(Bytes& chunk, MessageReader& message, InboundSink& sink) {
  // An empty buffer is complete without a further byte.
  if (chunk.empty() && !(stage_ == Stage::buffer && buffer_left_ == 0)) return false;
  switch (stage_) {
    case Stage::header:
      return read_header(chunk);
    case Stage::key:
      return read_key(chunk);
    case Stage::algorithm:
      return read_algorithm(chunk);
    case Stage::buffer_header:
      return read_buffer_header(chunk);
    case Stage::buffer:
      return read_buffer(chunk, message, sink);
    case Stage::skip:
      return skip_value(chunk);
    default:
      return false;
  }
}

Reader CompressReader::extend_header(Bytes& chunk) {
  header_[header_bytes_++] = chunk[0];
  chunk = chunk.subspan(1);
  return Reader(Bytes(header_).first(header_bytes_));
}

bool CompressReader::read_header(Bytes& chunk) {
  Reader in = extend_header(chunk);
  array_form_ = msgpack::peek(in) == msgpack::Kind::array;
  const std::uint64_t fields =
      array_form_ ? msgpack::read_array_header(in) : msgpack::read_map_header(in);
  if (!in.ok()) {
    return in.error().fault == WireFault::truncated || fail(in.error().fault, "");
  }
  header_bytes_ = 0;
  fields_left_ = fields + 1;
  return next_field();
}

// Steps to the next field of the map, or of the array in declaration order.
bool CompressReader::next_field() {
  if (--fields_left_ == 0) {
    if (!buffer_seen_) return fail(WireFault::malformed, "Buf");
    stage_ = Stage::done;
    return false;
  }
  if (!array_form_) {
    stage_ = Stage::key;
    return true;
  }
  static constexpr std::array declared{Stage::algorithm, Stage::buffer_header};
  stage_ = field_index_ < declared.size() ? declared[static_cast<std::size_t>(field_index_)]
                                          : Stage::skip;
  ++field_index_;
  return true;
}

bool CompressReader::read_key(Bytes& chunk) {
  const auto item = carry_.next(chunk);
  if (!item) return fail(item.error().fault, "");
  if (item->empty()) return false;
  Reader in(*item);
  const std::string_view key = msgpack::read_key(in);
  if (!in.ok()) return fail(in.error().fault, "");
  stage_ = key == "Algo" ? Stage::algorithm : key == "Buf" ? Stage::buffer_header : Stage::skip;
  return true;
}

bool CompressReader::read_algorithm(Bytes& chunk) {
  const auto item = carry_.next(chunk);
  if (!item) return fail(item.error().fault, "Algo");
  if (item->empty()) return false;
  Reader in(*item);
  const std::uint8_t algorithm = msgpack::read_u8(in);
  if (!in.ok()) return fail(in.error().fault, "Algo");
  if (algorithm != Compressed::lzw) return fail(WireFault::unsupported, "Algo");
  return next_field();
}

bool CompressReader::read_buffer_header(Bytes& chunk) {
  Reader in = extend_header(chunk);
  const std::uint8_t lead = in.u8();
  std::uint64_t bytes = 0;
  if ((lead & 0xe0) == 0xa0) {
    bytes = lead & 0x1fU;
  } else if (lead == 0xd9 || lead == 0xc4) {
    bytes = in.u8();
  } else if (lead == 0xda || lead == 0xc5) {
    bytes = in.u16();
  } else if (lead == 0xdb || lead == 0xc6) {
    bytes = in.u32();
  } else if (lead != 0xc0) {
    return fail(lead == 0xc1 ? WireFault::malformed : WireFault::wrong_type, "Buf");
  }
  if (!in.ok()) return true;  // the length goes on
  // A second Buf cannot replace the first one: its message has been delivered.
  if (buffer_seen_) return fail(WireFault::malformed, "Buf");
  header_bytes_ = 0;
  buffer_seen_ = true;
  buffer_left_ = bytes;
  stage_ = Stage::buffer;
  return true;
}

bool CompressReader::read_buffer(Bytes& chunk, MessageReader& message, InboundSink& sink) {
  const Bytes data =
      chunk.first(static_cast<std::size_t>(std::min<std::uint64_t>(chunk.size(), buffer_left_)));
  chunk = chunk.subspan(data.size());
  buffer_left_ -= data.size();
  if (!inflated_all_ && !inflate(data, message, sink)) return false;
  if (buffer_left_ > 0) return false;
  if (!inflated_all_) return fail(WireFault::truncated, "Buf");
  if (inflated_ == 0) return fail(WireFault::malformed, "Buf");
  if (!message_done_) {
    failed_in_message_ = true;
    return fail(WireFault::truncated, "Buf");
  }
  return next_field();
}

// False when the stage became final.
bool CompressReader::inflate(Bytes data, MessageReader& message, InboundSink& sink) {
  while (!inflated_all_ && (!data.empty() || decoder_.needs_room())) {
    // At the cap there is room for the one byte that proves it is exceeded.
    const std::size_t room = inflated_bytes_max_ - inflated_;
    const auto step =
        decoder_.decode(data, window_.first(std::clamp<std::size_t>(room, 1, window_.size())));
    if (!step) return fail(step.error().fault, "Buf");
    if (step->produced > room) return fail(WireFault::too_large, "Buf");
    data = data.subspan(step->consumed);
    inflated_all_ = step->done;
    inflated_ += step->produced;
    if (message_done_ || step->produced == 0) continue;  // what follows the message is ignored
    const auto progress = message.feed(window_.first(step->produced), sink);
    if (!progress) {
      failed_in_message_ = true;
      error_ = progress.error();
      stage_ = Stage::failed;
      return false;
    }
    if (*progress == StreamProgress::refused) {
      stage_ = Stage::refused;
      return false;
    }
    message_done_ = *progress == StreamProgress::done;
  }
  return true;
}

bool CompressReader::skip_value(Bytes& chunk) {
  const auto taken = scanner_.scan(chunk);
  if (!taken) return fail(taken.error().fault, "");
  chunk = chunk.subspan(*taken);
  if (!scanner_.complete()) return false;
  scanner_.reset();
  return next_field();
}

bool CompressReader::fail(WireFault fault, const char* field) {
  error_ = {"compress", field, fault, 0};
  stage_ = Stage::failed;
  return false;
}

}  // namespace starling
