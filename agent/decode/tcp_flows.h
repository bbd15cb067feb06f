// Puts the segments of captured TCP connections in order, each direction for itself.
//
// Retransmitted bytes count once, segments that overtake others wait for them. Memory is bounded:
// a direction that would exceed it is given up and reported. Owned and used by one thread.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "agent/decode/frames.h"

namespace starling::agent::decode {

// One direction of a connection, from its beginning as far as it was captured.
struct TcpStream {
  Endpoint source;
  Endpoint destination;
  std::int64_t time_us = 0;  // of the first bytes
  std::vector<std::byte> bytes;
  bool start_seen = false;  // the capture has the opening of the connection
  bool gap = false;         // bytes are missing behind these
  bool too_large = false;   // given up: `bytes` is empty
};

class TcpFlows {
 public:
  struct Limits {
    std::size_t bytes_max = 64u << 20;  // held at any time, all directions together
    std::size_t flows_max = 65'536;
  };
  explicit TcpFlows(const Limits& limits) : limits_(limits) {}

  // The streams that this segment completes (end or reset, or a new connection in the place of an
  // old one), without those that carried nothing.
  std::vector<TcpStream> add(const Packet& segment, std::int64_t time_us);
  // Everything that is left.
  std::vector<TcpStream> finish();
  // Segments of directions beyond flows_max.
  std::uint64_t refused() const { return refused_; }

 private:
  struct Key {
    Endpoint source;
    Endpoint destination;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  struct Flow {
    std::uint32_t next = 0;  // sequence number behind `bytes`
    std::uint32_t first = 0;
    std::int64_t time_us = 0;
    std::vector<std::byte> bytes;
    std::map<std::uint64_t, std::vector<std::byte>> waiting;  // by distance from `first`
    std::optional<std::uint64_t> end;                         // where FIN stood
    bool start_seen = false;
    bool too_large = false;
    bool closed = false;  // already given out; kept to ignore what is sent again
  };

  Flow* find_or_open(const Key& key, const TcpHeader& header);
  void take_bytes(Flow& flow, std::uint32_t sequence, Bytes payload);
  void join_waiting(Flow& flow);
  void give_up(Flow& flow);
  void close(const Key& key, Flow& flow, std::vector<TcpStream>& done);

  Limits limits_;
  std::map<Key, Flow> flows_;
  std::size_t bytes_held_ = 0;
  std::size_t closed_ = 0;
  std::uint64_t refused_ = 0;
};

}  // namespace starling::agent::decode
