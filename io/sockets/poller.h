// Poller: an epoll set whose members are named by numbers of ours.
//
// Owned by SocketPorts, used by its lane's thread.
#pragma once

#include <sys/epoll.h>

#include "io/file.h"
#include "wire/base/types.h"

namespace starling::io {

// What a member of the set is. Streams also carry their slot and a serial, so that an event of a
// stream that has gone since is recognised.
struct PollTag {
  enum class Kind : std::uint8_t { wake, datagrams, listener, stream };
  Kind kind{};
  std::uint16_t slot = 0;
  std::uint32_t serial = 0;

  std::uint64_t packed() const {
    return std::uint64_t{serial} << 32 | std::uint64_t{slot} << 8 |
           static_cast<std::uint64_t>(kind);
  }
  static PollTag from(std::uint64_t packed) {
    return {static_cast<Kind>(packed & 0xff), static_cast<std::uint16_t>((packed >> 8) & 0xffff),
            static_cast<std::uint32_t>(packed >> 32)};
  }
};

class Poller {
 public:
  Poller() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}
  bool open() const { return epoll_.open(); }
  int descriptor() const { return epoll_.descriptor(); }

  // False with errno when the system is out of memory or watches.
  bool add(int descriptor, PollTag tag, std::uint32_t events) {
    return control(EPOLL_CTL_ADD, descriptor, tag, events);
  }
  void change(int descriptor, PollTag tag, std::uint32_t events) {
    control(EPOLL_CTL_MOD, descriptor, tag, events);
  }

 private:
  bool control(int operation, int descriptor, PollTag tag, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = tag.packed();
    return ::epoll_ctl(epoll_.descriptor(), operation, descriptor, &event) == 0;
  }

  File epoll_;
};

}  // namespace starling::io
