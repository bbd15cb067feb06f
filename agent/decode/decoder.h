// A captured datagram or one direction of a stream as JSON, layer by layer.
//
// protocol/memberlist sections 4 to 6. The result is an object:
//   {"transport", "bytes", "layers": [...], "messages": [...], "error": {...} when bad}
// Layers stand in the order in which they come off. What is inside a compound carries "part", the
// path of part numbers that leads to it ("1.0": the first part of the second part). The first fault
// ends the decoding; what was decoded before it stays. Offsets count from the start of the bytes
// that the layer at fault was given (for a message: behind its type byte).
//
// Owned and used by one thread. Memory is bounded by the limits below, whatever the input says.
#pragma once

#include <memory>

#include "agent/decode/values.h"
#include "wire/aead.h"
#include "wire/lzw.h"

namespace starling::agent::decode {

inline constexpr std::size_t stream_bytes_max = 64u << 20;

class Decoder {
 public:
  struct Options {
    std::vector<AesKey> keys;          // with keys: everything must be encrypted with one of them
    std::optional<std::string> label;  // nothing: whatever label there is
  };
  explicit Decoder(Options options);

  Json datagram(Bytes packet);
  // From the first byte of the direction; bytes behind its message are counted.
  Json stream(Bytes bytes);

 private:
  struct Pass;
  struct Place {
    std::string part;
    std::size_t depth = 0;
  };

  // Each takes its layer off the front of `rest`; false when it is at fault.
  bool take_label(Pass& pass, Bytes& rest, bool required) const;
  bool open(Pass& pass, Bytes& rest, Bytes associated);
  bool take_frame(Pass& pass, Bytes& rest);
  bool inflate(Pass& pass, Bytes body, const Place& place, std::vector<std::byte>& inflated);
  void unfold(Pass& pass, Bytes message, const Place& place);
  void unfold_compound(Pass& pass, Bytes body, const Place& place);

  Options options_;
  std::vector<Cipher> ciphers_;  // one a key, to know which one fits
  std::unique_ptr<LzwDecoder> lzw_;
};

// The object has an "error".
bool is_bad(const Json& decoded);
// "ping: SeqNo: out of range at byte 8"
std::string fault_text(const Json& decoded);
// Never fails: bytes that are not UTF-8 become U+FFFD. `indent` -1: one line.
std::string to_text(const Json& decoded, int indent);

}  // namespace starling::agent::decode
