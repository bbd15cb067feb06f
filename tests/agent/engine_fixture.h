// A real engine on loopback sockets, for tests of what stands directly above it.
#pragma once

#include <gtest/gtest.h>

#include "agent/engine_host.h"
#include "agent/hosting.h"
#include "io/open.h"

namespace starling::agent {

// Members that the engine hosts besides its own.
struct HostedByFixture {
  std::vector<HostedSpec> hosted;
  std::uint32_t hosted_max = 64;
  Keyring keyring;
};

struct EngineFixture {
  EventLoop loop;
  std::vector<std::string> joined;  // names of member-join events
  std::function<void(const Event&)> on_event = [](const Event&) {};
  std::unique_ptr<EngineHost> engine;

  explicit EngineFixture(std::string name, const HostedByFixture& hosting = {}) {
    EngineOptions options;
    options.name = std::move(name);
    options.seed = 7;
    options.meta = "\xff\x80";
    options.swim = SwimOptions::of(Profile::local);
    options.capacity.members_max = 64;
    options.keyring = hosting.keyring;
    auto opened = io::open_ports({.bind = {IpAddress::v4(127, 0, 0, 1), 0},
                                  .choice = io::PortChoice::sockets,
                                  .packet_room_bytes = options.packet_room_bytes()});
    EXPECT_TRUE(opened) << opened.error();
    options.advertise = opened->ports->bound();
    auto hosted = hosted_options(hosting.hosted,
                                 {.own_name = options.name, .own_advertise = options.advertise});
    EXPECT_TRUE(hosted) << hosted.error();
    options.hosted = std::move(*hosted);
    options.capacity.hosted_max = hosting.hosted_max;
    std::vector<std::unique_ptr<io::Ports>> ports;
    ports.push_back(std::move(opened->ports));
    auto host = EngineHost::start(options, std::move(ports), loop, [this](const Event& e) {
      if (e.kind == Event::Kind::member && e.change == MemberEventKind::join) {
        joined.emplace_back(e.name);
      }
      on_event(e);
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
