// Push/pull bodies as streams: header, node states, user state, in bounded memory both ways.
//
// protocol/memberlist section 6.11. A reader is fed chunks of any size and calls a sink for each
// complete item; it keeps at most one split item. Lengths announced on the wire allocate nothing.
#pragma once

#include <concepts>

#include "wire/messages.h"
#include "wire/msgpack.h"

namespace starling {

struct PushPullHeader {
  std::int64_t nodes = 0;
  std::int64_t user_state_bytes = 0;
  bool join = false;
};

struct NodeState {
  std::string_view name;
  Bytes address;
  std::uint16_t port = 0;
  Bytes meta;
  Incarnation incarnation{};
  std::int64_t state = 0;  // 0..3 are MemberState; receivers ignore others
  Bytes versions;
};

// Header of a user message on a stream (section 6.10).
struct UserHeader {
  std::int64_t bytes = 0;
};

struct PushPullLimits {
  std::int64_t nodes_max = 1'048'576;
  std::int64_t user_state_bytes_max = 20'971'520;
  std::size_t item_bytes_max = 65'536;  // one encoded node state; also the reader's own memory
};

// Decoders of one item at the front of `input`; on success `used` says how long it was.
// The fault is truncated when more input may help.
Decoded<PushPullHeader> decode_push_pull_header(Bytes input, std::size_t& used);
Decoded<NodeState> decode_node_state(Bytes input, Scratch& scratch, std::size_t& used);
Decoded<UserHeader> decode_user_header(Bytes input, std::size_t& used);

// The header starts with the type byte (6 or 8); a node state is a bare map.
void encode(const PushPullHeader& header, Writer& out, SignedStyle style);
void encode(const NodeState& node, Writer& out);
void encode(const UserHeader& header, Writer& out, SignedStyle style);

template <class Sink>
concept PushPullSink = requires(Sink sink, const PushPullHeader& header, const NodeState& node,
                                Bytes part) {
  { sink.on_header(header) } -> std::same_as<bool>;  // false refuses the exchange
  { sink.on_node(node) } -> std::same_as<bool>;
  { sink.on_user_state(part) } -> std::same_as<bool>;  // a piece, in order
};

// Reads what follows type byte 6. `carry` holds an item that a chunk boundary has split, and sets
// its largest size; the owner keeps it alive.
class PushPullReader {
 public:
  PushPullReader(const PushPullLimits& limits, MutableBytes carry)
      : limits_(limits), carry_(carry) {}

  enum class Progress : std::uint8_t { more, done, refused };
  // Takes the whole chunk (surplus after the end is ignored). An error is final.
  template <PushPullSink Sink>
  Decoded<Progress> feed(Bytes chunk, Sink& sink);

  const PushPullHeader& header() const { return header_; }
  std::int64_t nodes_read() const { return nodes_read_; }

 private:
  enum class Stage : std::uint8_t { header, nodes, user_state, done };
  PushPullLimits limits_;
  MutableBytes carry_;
  std::size_t carried_ = 0;
  Scratch scratch_;
  PushPullHeader header_;
  std::int64_t nodes_read_ = 0;
  std::int64_t user_state_read_ = 0;
  std::uint64_t offset_ = 0;
  Stage stage_ = Stage::header;
};

}  // namespace starling
