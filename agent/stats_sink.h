// Where metrics go: a statsd server over UDP or a statsite server over TCP.
//
// protocol/serf section 16.6. Lines are collected for 100 ms and sent in packets of 1400 bytes at
// most; a stream gets the same lines. The name is resolved off the control thread, at first and
// whenever a connection has to be made again. Nothing ever waits for the server: what does not fit
// into lines_bytes_max is dropped and counted. Owned by the agent, control thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "agent/event_loop.h"
#include "agent/log.h"
#include "agent/resolver.h"
#include "io/file.h"

namespace starling::agent {

class StatsSink {
 public:
  enum class Kind : std::uint8_t { statsd, statsite };
  static constexpr std::uint16_t default_port = 8125;
  static constexpr std::size_t packet_bytes_max = 1'400;
  static constexpr std::size_t lines_bytes_max = 256U << 10;
  struct Options {
    Kind kind = Kind::statsd;
    std::string address;  // host:port
    Duration flush_interval = std::chrono::milliseconds(100);
    Duration retry_interval = std::chrono::seconds(5);  // after a failure, as Serf
  };

  StatsSink(EventLoop& loop, Resolver& resolver, Log& log, Options options);
  ~StatsSink();
  StatsSink(const StatsSink&) = delete;
  StatsSink& operator=(const StatsSink&) = delete;

  void add(std::string_view line);
  std::uint64_t dropped() const { return dropped_; }

 private:
  void look_up();
  void connect(const Endpoint& endpoint);
  void failed(std::string_view why);
  void flush();
  void send_packets();
  void send_stream();

  EventLoop& loop_;
  Resolver& resolver_;
  Log& log_;
  Options options_;
  io::File socket_;
  bool connected_ = false;
  bool torn_ = false;  // the stream has a part of the first line already
  std::string lines_;
  std::uint64_t dropped_ = 0;
  EventLoop::TimerId flush_timer_ = 0;
  EventLoop::TimerId retry_timer_ = 0;
  std::shared_ptr<bool> here_ = std::make_shared<bool>(true);  // false: the sink has gone
};

}  // namespace starling::agent
