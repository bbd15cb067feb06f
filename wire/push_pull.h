// Push/pull bodies as streams: header, node states, user state, in bounded memory both ways.
//
// protocol/memberlist section 6.11. A reader is fed chunks of any size and calls a sink for each
// complete item; it keeps at most one split item. Lengths announced on the wire allocate nothing.
#pragma once

#include <concepts>

#include "wire/messages.h"
#include "wire/msgpack.h"
#include "wire/value_scanner.h"

namespace starling {

struct PushPullHeader {
  std::int64_t nodes = 0;
  std::int64_t user_state_bytes = 0;
  bool join = false;
  bool digests = false;  // the sender is of this kind, see wire/standing.h
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

// Nodes that a reader looks ahead, at most.
inline constexpr std::size_t nodes_ahead_max = 16;

// Reads what follows type byte 6. A sink that has expect_nodes(std::span<const NodeState>) is told
// of several nodes before it is given them one by one, so that it can fetch what they need from
// memory. `carry` holds an item that a chunk boundary has split; the owner
// keeps it alive. The result does not depend on where the boundaries are, except that an error
// inside an item is reported only when the item's end has arrived.
class PushPullReader {
 public:
  PushPullReader(const PushPullLimits& limits, MutableBytes carry)
      : limits_(limits), carry_(carry.first(std::min(carry.size(), limits.item_bytes_max))) {}

  enum class Progress : std::uint8_t { more, done, refused };
  // Takes the whole chunk (surplus after the end is ignored). An error or a refusal is final.
  // Errors: those of the decoders, out_of_range for counts beyond the limits, too_large for an item
  // that exceeds item_bytes_max or the carry.
  template <PushPullSink Sink>
  Decoded<Progress> feed(Bytes chunk, Sink& sink) {
    std::array<NodeState, nodes_ahead_max> ahead;
    for (;;) {
      switch (stage_) {
        case Stage::header:
          if (!next_header(chunk)) break;
          stage_ = sink.on_header(header_) ? Stage::nodes : Stage::refused;
          continue;
        case Stage::nodes: {
          if (nodes_read_ == header_.nodes) {
            stage_ = Stage::user_state;
            continue;
          }
          const std::span<const NodeState> nodes = next_nodes(chunk, ahead);
          if (!nodes.empty()) {
            if constexpr (requires { sink.expect_nodes(nodes); }) sink.expect_nodes(nodes);
            for (const NodeState& node : nodes) {
              ++nodes_read_;
              if (sink.on_node(node)) continue;
              stage_ = Stage::refused;
              break;
            }
            continue;
          }
          NodeState node;
          if (!next_node(chunk, node)) break;
          if (!sink.on_node(node)) stage_ = Stage::refused;
          continue;
        }
        case Stage::user_state: {
          const Bytes piece = next_user_state(chunk);
          if (user_state_read_ == header_.user_state_bytes) stage_ = Stage::done;
          if (!piece.empty() && !sink.on_user_state(piece)) stage_ = Stage::refused;
          if (stage_ == Stage::user_state) return Progress::more;
          continue;
        }
        case Stage::done:
          return Progress::done;
        case Stage::refused:
          return Progress::refused;
        case Stage::failed:
          return std::unexpected(error_);
      }
      // An item is missing its end, or is wrong.
      if (stage_ != Stage::failed) return Progress::more;
    }
  }

  const PushPullHeader& header() const { return header_; }
  std::int64_t nodes_read() const { return nodes_read_; }

 private:
  enum class Stage : std::uint8_t { header, nodes, user_state, done, refused, failed };

  bool next_item(Bytes& chunk, Bytes& item);
  bool next_header(Bytes& chunk);
  // The nodes at the front of `chunk` that are whole and laid out as Go writes them.
  std::span<const NodeState> next_nodes(Bytes& chunk, std::span<NodeState> room);
  bool next_node(Bytes& chunk, NodeState& node);
  Bytes next_user_state(Bytes& chunk);
  bool fail(WireError error);

  PushPullLimits limits_;
  ValueCarry carry_;
  Scratch scratch_;
  PushPullHeader header_;
  std::int64_t nodes_read_ = 0;
  std::int64_t user_state_read_ = 0;
  std::uint64_t offset_ = 0;  // of the current item
  WireError error_;
  Stage stage_ = Stage::header;
};

}  // namespace starling
