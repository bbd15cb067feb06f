// Neighbours: the MAC and the source address for each destination of a port.
//
// Where the kernel owns the addresses (a packet socket, or a TAP device as exception path) it is
// asked for the route and the MAC, and provoked to find one it does not know. Where nobody but us
// hears the wire, we ask by ARP and neighbour discovery ourselves; every destination is then taken
// to be on the link. What is known is kept for a while in a table of fixed size, by destination.
// Owned by the port's datagrams; the lane's thread.
#pragma once

#include <optional>
#include <vector>

#include "core/base/time.h"
#include "io/dpdk/discovery.h"
#include "io/dpdk/rtnetlink.h"

namespace starling::io {

struct NextHop {
  MacAddress mac;
  IpAddress source;
};

class Neighbours {
 public:
  struct Options {
    // The port's own address as it was bound; a wildcard takes what the route says.
    LocalAddress local;
    // Set where the kernel owns the addresses: the interface they are on.
    InterfaceIndex interface = InterfaceIndex::none;
    // Destinations known at a time; a power of two. The oldest of eight makes room.
    std::size_t destinations_max = 4096;
    // How long an entry is believed before the kernel or the neighbour is asked again. Nobody tells
    // us of a change, and a kernel confirms a quiet neighbour for some 30 s.
    Duration believed_max = std::chrono::seconds(10);
    // How long a destination is looked for before its packets are given up.
    Duration search_max = std::chrono::seconds(1);
  };
  enum class Answer : std::uint8_t {
    known,
    searching,  // keep the packet and ask again
    nowhere,    // no route over this port, or nobody answered: drop the packet
  };
  struct Found {
    Answer answer = Answer::nowhere;
    NextHop hop;
  };

  static std::expected<Neighbours, std::string> create(const Options& options);

  // Looks up, and searches when nothing is known. Asks the kernel at most once a millisecond for a
  // destination that is being searched.
  Found find(Instant now, const IpAddress& to);

  // Requests of our own to be sent, after find() or at any time: writes one and returns its bytes,
  // 0 when there is none. Never any where the kernel asks.
  std::size_t take_request(MutableBytes room);
  // A frame of ARP or neighbour discovery, where nobody else answers them. Learns from it, and
  // writes the answer it wants into `room`: its bytes, or 0.
  std::size_t on_discovery(Instant now, Bytes frame, MutableBytes room);

  bool asks_kernel() const { return rtnetlink_.has_value(); }

 private:
  enum class State : std::uint8_t { empty, searching, known, given_up };
  struct Entry {
    IpAddress to;
    State state = State::empty;
    NextHop hop;
    Instant until{};   // known: believed; searching: before giving up; given up: before trying anew
    Instant ask_at{};  // searching: the next question
    Instant push_at{};  // searching: the next provocation or request
    Duration pause{};   // between questions
  };
  static constexpr std::size_t ways = 8;

  Neighbours(const Options& options, std::optional<Rtnetlink> rtnetlink);
  Entry& entry_of(const IpAddress& to);
  Entry* existing(const IpAddress& to);
  void search(Instant now, Entry& entry);
  // Whether the entry is known now; sets given_up when there is no way.
  bool ask_kernel(Instant now, Entry& entry);
  void request(const IpAddress& to);
  void learn(Instant now, const Neighbour& neighbour, Entry* entry);

  Options options_;
  std::optional<Rtnetlink> rtnetlink_;
  std::vector<Entry> entries_;
  // A few at a time; one that finds no room is made again by the next search.
  std::array<IpAddress, 16> requests_;
  std::size_t requests_waiting_ = 0;
};

}  // namespace starling::io
