// A real engine on loopback sockets, for tests of what stands directly above it.
#pragma once

#include <gtest/gtest.h>

#include "agent/engine_host.h"
#include "io/open.h"

namespace starling::agent {

struct EngineFixture {
  EventLoop loop;
  std::vector<std::string> joined;  // names of member-join events
  std::unique_ptr<EngineHost> engine;

  explicit EngineFixture(std::string name) {
    EngineOptions options;
    options.name = std::move(name);
    options.seed = 7;
    options.meta = "\xff\x80";
    options.swim = SwimOptions::of(Profile::local);
    options.capacity.members_max = 64;
    auto opened = io::open_ports({.bind = {IpAddress::v4(127, 0, 0, 1), 0},
                                  .choice = io::PortChoice::sockets,
                                  .packet_room_bytes = options.packet_room_bytes()});
    EXPECT_TRUE(opened) << opened.error();
    options.advertise = opened->ports->bound();
    auto host = EngineHost::start(options, std::move(opened->ports), loop, [this](const Event& e) {
      if (e.kind == Event::Kind::member && e.change == MemberEventKind::join) {
        joined.emplace_back(e.name);
      }
    });
    EXPECT_TRUE(host) << host.error();
    engine = std::move(*host);
  }

  // Turns the loop until `done()`, for ten seconds at most.
  template <class Done>
  bool run_until(Done done) {
    const Instant until = EventLoop::now() + std::chrono::seconds(10);
    while (!done()) {
      if (EventLoop::now() >= until) return false;
      loop.turn(std::chrono::milliseconds(20));
    }
    return true;
  }
};

}  // namespace starling::agent
