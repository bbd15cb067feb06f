// The layers around messages: label > encryption > crc > compress > compound, peeled and wrapped.
//
// protocol/memberlist sections 1, 4 and 5. Datagrams are peeled into a flat list of messages;
// stream messages are wrapped whole here and unwrapped incrementally by core/stream. No allocation:
// all work memory is the caller's and its size is the hard cap.
#pragma once

#include "wire/aead.h"
#include "wire/base/types.h"
#include "wire/compound.h"
#include "wire/crc.h"
#include "wire/label.h"
#include "wire/lzw.h"
#include "wire/messages.h"

namespace starling {

// The header of an encrypted stream frame: type 10 and the length of what follows (section 5.1).
class FrameHeader {
 public:
  static constexpr std::size_t size = 5;
  // The label is part of what is authenticated, not of the header.
  FrameHeader(std::uint32_t sealed_bytes, std::string_view label);
  Bytes bytes() const { return Bytes(octets_).first(size); }
  // The additional authenticated data of the frame.
  Bytes associated() const { return Bytes(octets_).first(size_); }

 private:
  std::array<std::byte, size + label_bytes_max> octets_;
  std::size_t size_;
};

// Hard caps on what one datagram may unfold to. All are options with these defaults.
struct EnvelopeLimits {
  std::size_t inflated_bytes_max = 1 << 20;  // sum of all decompressed layers of one datagram
  std::size_t nesting_max = 8;               // compress and compound layers inside each other
  std::size_t parts_max = 4096;              // messages in one datagram
};

// How this node speaks and what it insists on (section 18).
struct EnvelopePolicy {
  LabelPolicy label;
  bool verify_incoming = true;  // with keys: refuse what does not decrypt
  bool verify_outgoing = true;  // with keys: encrypt what is sent
  bool compress = true;
  unsigned encryption_version = 1;  // 0 for nodes of protocol version 1
};

// Unfolds datagrams. Owned by one lane; its workspace comes from the lane's memory.
class Peeler {
 public:
  // Bytes of workspace that make every permitted single datagram fit.
  static std::size_t workspace_bytes(const EnvelopeLimits& limits);
  Peeler(const EnvelopeLimits& limits, MutableBytes workspace);

  struct Result {
    std::size_t parts = 0;  // messages appended to the list
    bool faulty = false;    // `fault` is the first one; the parts given are valid, as in Go
    WireError fault;
  };
  // Appends the messages of one datagram, in order, each starting with its type byte and never
  // empty. Only types that may stand in a datagram come out: 0..5, 8 and 11. They are views into
  // `packet` or into the workspace and stay valid until reset(). A fault inside a compound loses
  // the part it is in, not its neighbours.
  Result peel(Bytes packet, const EnvelopePolicy& policy, Cipher& cipher, std::span<Bytes> parts);

  // Frees the workspace: every part handed out becomes invalid.
  void reset() { used_ = 0; }
  // True while another datagram is sure to fit.
  bool room_for_one() const { return workspace_.size() - used_ >= per_packet_bytes_; }

 private:
  struct Pass;
  void unfold(Pass& pass, Bytes message, std::size_t depth);
  void unfold_compound(Pass& pass, Bytes body, std::size_t depth);
  void unfold_compressed(Pass& pass, Bytes body, std::size_t depth);

  EnvelopeLimits limits_;
  MutableBytes workspace_;
  std::size_t used_ = 0;
  std::size_t per_packet_bytes_;
  LzwDecoder decoder_;
};

// Wraps outgoing messages. Owned by one lane.
class Wrapper {
 public:
  // The datagram form of `message` (bare or compound, type byte first): compress when enabled and
  // strictly smaller, crc when asked, encrypt, label. Bytes written to `out`; 0 when it is too
  // small.
  std::size_t datagram(Bytes message, bool with_crc, const EnvelopePolicy& policy, Cipher& cipher,
                       const Nonce& nonce, MutableBytes out);

  // The stream form of a whole message: compress when enabled (always, as Go) unless the message is
  // longer than `compress_bytes_max`, then encrypt-frame. `with_label` on the dialling side only.
  // `scratch` must hold the compressed form, LzwEncoder::bound() at most. Bytes written to `out`; 0
  // when something is too small.
  std::size_t stream(Bytes message, bool with_label, std::size_t compress_bytes_max,
                     const EnvelopePolicy& policy, Cipher& cipher, const Nonce& nonce,
                     MutableBytes scratch, MutableBytes out);

  // The most bytes that stream() can write for a message of `message_bytes`.
  static std::size_t stream_bound(std::size_t message_bytes);

 private:
  LzwEncoder encoder_;
  std::array<std::byte, 1 << 16> compressed_;
};

}  // namespace starling
