// The compress wrapper of a stream, unwrapped as it arrives: what it inflates to is never held.
//
// protocol/memberlist sections 4.2 and 5.3. The problem: a push/pull of 40 MiB stands inside one
// msgpack byte string. The idea: walk the map around it by hand, and pass the string's bytes
// through the LZW machine and a small window into the MessageReader. One level only: compress
// inside compress is an unsupported type on streams. Owned by one InboundStream, used by its lane's
// thread; no allocation.
#pragma once

#include "core/stream/message_reader.h"
#include "wire/lzw.h"

namespace starling {

class CompressReader {
 public:
  // `carry` may be the MessageReader's: only one of them holds an item at a time. `window` is where
  // inflated bytes pass through.
  CompressReader(std::size_t inflated_bytes_max, MutableBytes carry, MutableBytes window);
  void reset();

  // What follows type byte 9. `done` when the map, the LZW data and the message are all complete,
  // so that a cut or forged end is an error although the message was there. An error or a refusal
  // is final. Errors: unsupported for an algorithm other than LZW, too_large beyond the cap,
  // malformed for a missing or empty Buf, and those of the LZW data and the message.
  // Keys may come in any order; a byte string sent as an array of numbers is not taken.
  Decoded<StreamProgress> feed(Bytes chunk, MessageReader& message, InboundSink& sink);
  // The error was the message's, not the wrapper's.
  bool failed_in_message() const { return failed_in_message_; }

 private:
  enum class Stage : std::uint8_t {
    header,
    key,
    algorithm,
    buffer_header,
    buffer,
    skip,
    done,
    refused,
    failed,
  };

  bool step(Bytes& chunk, MessageReader& message, InboundSink& sink);
  bool read_header(Bytes& chunk);
  bool read_key(Bytes& chunk);
  bool read_algorithm(Bytes& chunk);
  bool read_buffer_header(Bytes& chunk);
  bool read_buffer(Bytes& chunk, MessageReader& message, InboundSink& sink);
  bool inflate(Bytes data, MessageReader& message, InboundSink& sink);
  bool skip_value(Bytes& chunk);
  // One more byte of a header in header_; its end is found by trying to read it.
  Reader extend_header(Bytes& chunk);
  bool next_field();
  bool fail(WireFault fault, const char* field);

  std::size_t inflated_bytes_max_;
  MutableBytes carry_room_;
  MutableBytes window_;
  ValueCarry carry_;
  ValueScanner scanner_;
  LzwDecoder decoder_;
  std::array<std::byte, 5> header_{};
  std::size_t header_bytes_ = 0;
  std::uint64_t fields_left_ = 0;
  std::uint64_t field_index_ = 0;  // of the array form
  std::uint64_t buffer_left_ = 0;
  std::size_t inflated_ = 0;
  WireError error_;
  Stage stage_ = Stage::header;
  bool array_form_ = false;
  bool buffer_seen_ = false;
  bool inflated_all_ = false;
  bool message_done_ = false;
  bool failed_in_message_ = false;
};

}  // namespace starling
