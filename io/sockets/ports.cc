#include "io/sockets/ports.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>

#include "io/clock.h"
#include "io/errno_text.h"

namespace starling::io {

std::expected<std::unique_ptr<SocketPorts>, std::string> SocketPorts::create(
    const PortOptions& options, BoundSockets sockets) {
  std::unique_ptr<SocketPorts> ports(new SocketPorts);
  ports->bound_ = sockets.bound;
  ports->wake_ = File(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!ports->poller_.open() || !ports->wake_.open()) {
    return std::unexpected("open epoll and eventfd: " + errno_text(errno));
  }
  auto datagrams = SocketDatagrams::create(options, std::move(sockets.datagrams), sockets.family,
                                           ports->counters_);
  if (!datagrams) return std::unexpected(std::move(datagrams.error()));
  ports->datagrams_ = std::move(*datagrams);
  auto streams =
      SocketStreams::create(options, std::move(sockets.listener), ports->poller_, ports->counters_);
  if (!streams) return std::unexpected(std::move(streams.error()));
  ports->streams_ = std::move(*streams);
  const bool watched =
      ports->poller_.add(ports->wake_.descriptor(), {.kind = PollTag::Kind::wake}, EPOLLIN) &&
      ports->poller_.add(ports->datagrams_->descriptor(), {.kind = PollTag::Kind::datagrams},
                         EPOLLIN);
  if (!watched) return std::unexpected("watch the sockets by epoll: " + errno_text(errno));
  return ports;
}

void SocketPorts::wait(Duration at_most) {
  const bool now_or_never = woken_ || ready_count_ > 0 || streams_->due();
  woken_ = false;
  if (now_or_never || at_most <= Duration::zero()) return;
  if (const Instant due = streams_->next_due(); due != Instant::max()) {
    at_most = std::clamp(due - MonotonicClock::now(), Duration::zero(), at_most);
  }
  poll(at_most);
  woken_ = false;
  fresh_ = true;
}

void SocketPorts::wake() {
  const std::uint64_t one = 1;
  // Fails only when the counter is full, which wakes just as well.
  [[maybe_unused]] const ssize_t written = ::write(wake_.descriptor(), &one, sizeof one);
}

void SocketPorts::poll(Duration at_most) {
  int result = -1;
  if (precise_timeouts_) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(at_most);
    timespec timeout{};
    timeout.tv_sec = seconds.count();
    timeout.tv_nsec = (at_most - seconds).count();
    result = ::epoll_pwait2(poller_.descriptor(), ready_.data(), ready_max, &timeout, nullptr);
    if (result < 0 && errno == ENOSYS) precise_timeouts_ = false;
  }
  if (!precise_timeouts_) {
    const auto up = std::chrono::ceil<std::chrono::milliseconds>(at_most).count();
    const auto timeout = static_cast<int>(std::min<std::int64_t>(up, 1'000'000));
    result = ::epoll_wait(poller_.descriptor(), ready_.data(), ready_max, timeout);
  }
  ready_count_ = 0;
  for (int i = 0; i < result; ++i) {
    const PollTag tag = PollTag::from(ready_[static_cast<std::size_t>(i)].data.u64);
    if (tag.kind == PollTag::Kind::wake) {
      std::uint64_t wakes = 0;
      woken_ = ::read(wake_.descriptor(), &wakes, sizeof wakes) > 0;
    }
    // Datagrams need no event: the lane asks for them in every turn.
    if (tag.kind == PollTag::Kind::wake || tag.kind == PollTag::Kind::datagrams) continue;
    ready_[static_cast<std::size_t>(ready_count_++)] = ready_[static_cast<std::size_t>(i)];
  }
}

std::size_t SocketPorts::deliver(StreamPort::Sink& sink) {
  std::size_t delivered = streams_->deliver(sink);
  // A wait just before has asked already; a lane that never waits asks here.
  if (ready_count_ == 0 && !fresh_) {
    const bool woken = woken_;
    poll(Duration::zero());
    woken_ = woken_ || woken;
  }
  fresh_ = false;
  for (int i = 0; i < ready_count_; ++i) {
    const epoll_event& event = ready_[static_cast<std::size_t>(i)];
    delivered += streams_->on_ready(PollTag::from(event.data.u64), event.events, sink);
  }
  ready_count_ = 0;
  return delivered;
}

}  // namespace starling::io
