// Finds other members of the same cluster name on the local network, and is found.
//
// protocol/serf section 16.5, compatible with hashicorp/mdns: answers questions for the service and
// asks for it, at once and every minute. Places that were not seen before are joined together after
// a tenth of a second of quiet; a place is remembered for good, whether or not the join worked.
// Owned by the agent, control thread only. Bounds: places_max places.
#pragma once

#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "agent/event_loop.h"
#include "agent/log.h"
#include "agent/mdns_message.h"
#include "core/base/rng.h"
#include "io/file.h"

namespace starling::agent {

class Mdns {
 public:
  static constexpr std::size_t places_max = 65'536;
  struct Options {
    MdnsInstance instance;
    std::string interface;  // empty: the system's choice
    bool ipv4 = true;       // asks by it; answers are given by both
    bool ipv6 = true;
    std::uint64_t seed = 0;
    Duration poll_interval = std::chrono::seconds(60);
    Duration quiet_interval = std::chrono::milliseconds(100);
  };
  // The places are "ip:port".
  using Join = std::function<void(std::vector<std::string> places)>;

  // The error says why this host has no multicast.
  static std::expected<std::unique_ptr<Mdns>, std::string> start(EventLoop& loop, Log& log,
                                                                 Join join, Options options);
  ~Mdns();
  Mdns(const Mdns&) = delete;
  Mdns& operator=(const Mdns&) = delete;

 private:
  // What is known of an instance that has not been found whole.
  struct Entry {
    IpAddress address;
    std::uint16_t port = 0;
    bool text = false;
  };
  struct Wire {
    int family = 0;
    io::File responder;  // bound to the group
    io::File asker;      // of a port of its own
  };

  Mdns(EventLoop& loop, Log& log, Join join, Options options);
  std::expected<Wire, std::string> open(int family, unsigned interface);
  void watch(Wire& wire);
  void on_packets(const io::File& socket, bool asked);
  void ask();
  void take(const MdnsMessage& message);
  void quiet();

  EventLoop& loop_;
  Log& log_;
  Join join_;
  Options options_;
  Rng rng_;
  std::vector<Wire> wires_;
  std::map<std::string, Entry> entries_;  // by instance
  std::set<std::string> seen_;
  std::vector<std::string> to_join_;
  EventLoop::TimerId poll_timer_ = 0;
  EventLoop::TimerId quiet_timer_ = 0;
};

}  // namespace starling::agent
