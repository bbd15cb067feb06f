#include "io/uring/ports.h"

#include <fcntl.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>

#include "io/clock.h"
#include "io/errno_text.h"

namespace starling::io {

namespace {

// The ring waits for a socket by itself; a non-blocking one would make it give up at once.
void set_blocking(const File& file) {
  const int flags = ::fcntl(file.descriptor(), F_GETFL);
  ::fcntl(file.descriptor(), F_SETFL, flags & ~O_NONBLOCK);
}

}  // namespace

std::expected<std::unique_ptr<UringPorts>, std::string> UringPorts::create(
    const PortOptions& options, BoundSockets& sockets) {
  if (auto problem = Ring::problem()) return std::unexpected(std::move(*problem));
  std::unique_ptr<UringPorts> ports(new UringPorts);
  auto ring = Ring::create();
  if (!ring) return std::unexpected(std::move(ring.error()));
  ports->ring_ = std::move(*ring);
  // Blocking: the ring reads it. A write blocks only after 2^64 - 2 unread wakes.
  ports->wake_ = File(::eventfd(0, EFD_CLOEXEC));
  if (!ports->wake_.open()) return std::unexpected("open eventfd: " + errno_text(errno));

  auto datagrams = UringDatagrams::create(options, *ports->ring_, sockets.family, ports->counters_);
  if (!datagrams) return std::unexpected(std::move(datagrams.error()));
  ports->datagrams_ = std::move(*datagrams);
  auto streams =
      UringStreams::create(options, *ports->ring_, sockets.listener.descriptor(), ports->counters_);
  if (!streams) return std::unexpected(std::move(streams.error()));
  ports->streams_ = std::move(*streams);
  const int descriptor = sockets.datagrams.descriptor();
  const int result = io_uring_register_files(ports->ring_->get(), &descriptor, 1);
  if (result < 0) return std::unexpected("register the socket: " + errno_text(-result));

  ports->sockets_ = std::move(sockets);
  set_blocking(ports->sockets_.datagrams);
  if (ports->sockets_.listener.open()) set_blocking(ports->sockets_.listener);
  return ports;
}

UringPorts::~UringPorts() {
  if (ring_ != nullptr && ring_->owned_by_this_thread()) leave();
  ring_.reset();
}

std::string UringPorts::size_text() const {
  return "ring of " + std::to_string(ring_->submissions_max()) + " and " +
         std::to_string(ring_->completions_max()) + ", " + std::to_string(datagrams_->buffers()) +
         " receive buffers";
}

void UringPorts::start() {
  if (ring_->started()) return;
  ring_->start();
  arm_wake();
  datagrams_->arm();
  streams_->arm_accepts();
  ring_->submit();
}

void UringPorts::arm_wake() {
  io_uring_sqe* const sqe = ring_->prepare({.kind = RingTag::Kind::wake});
  io_uring_prep_read(sqe, wake_.descriptor(), &wakes_, sizeof wakes_, 0);
}

void UringPorts::leave() {
  if (left_ || !ring_->started()) return;
  CHECK(ring_->owned_by_this_thread());
  left_ = true;
  // What the ring holds would keep the addresses for a while after the ring has gone.
  ring_->cancel_all();
  ring_->take([](RingTag, int, unsigned) {});
  io_uring_unregister_files(ring_->get());
  streams_.reset();
  sockets_.datagrams.close();
  sockets_.listener.close();
}

void UringPorts::gather() {
  start();
  ring_->refresh();
  take_completions();
}

void UringPorts::take_completions() {
  // A write that a completion makes possible reads the lane's bytes, so it is submitted before the
  // lane is called again; its own completion may make another one possible. Bounded: each round
  // fills a socket's buffer, and what is left over comes with the next turn's poll.
  constexpr int rounds_max = 8;
  for (int round = 0; round < rounds_max; ++round) {
    ring_->take([&](RingTag tag, int result, unsigned flags) {
      switch (tag.kind) {
        case RingTag::Kind::ignored:
          break;
        case RingTag::Kind::wake:
          woken_ = true;
          arm_wake();
          break;
        case RingTag::Kind::receive:
          datagrams_->on_received(result, flags);
          break;
        case RingTag::Kind::send:
          datagrams_->on_send_failed();
          break;
        case RingTag::Kind::send_run:
          datagrams_->on_run_failed(tag, result);
          break;
        case RingTag::Kind::accept:
        case RingTag::Kind::connect:
        case RingTag::Kind::read:
        case RingTag::Kind::write:
        case RingTag::Kind::writable:
          streams_->on_completion(tag, result, flags);
          break;
      }
    });
    if (datagrams_->wants_arming()) datagrams_->arm();
    if (!streams_->take_urgent()) return;
    ring_->submit();
  }
}

void UringPorts::wait(Duration at_most) {
  gather();
  const bool now_or_never = woken_ || datagrams_->received() || streams_->due();
  woken_ = false;
  if (now_or_never || at_most <= Duration::zero()) return;
  if (const Instant due = streams_->next_due(); due != Instant::max()) {
    at_most = std::clamp(due - MonotonicClock::now(), Duration::zero(), at_most);
  }
  ring_->wait(at_most);
  take_completions();
  woken_ = false;
}

void UringPorts::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_.descriptor(), &one, sizeof one);
}

std::size_t UringPorts::DatagramSide::receive(std::span<RxPacket> burst) {
  ports_->gather();
  return ports_->datagrams_->receive(burst);
}

void UringPorts::DatagramSide::release(std::span<const RxPacket> burst) {
  ports_->datagrams_->release(burst);
}

std::size_t UringPorts::DatagramSide::borrow(std::span<TxPacket> blanks) {
  return ports_->datagrams_->borrow(blanks);
}

void UringPorts::DatagramSide::send(std::span<const TxPacket> filled) {
  ports_->start();
  ports_->datagrams_->send(filled);
  ports_->take_completions();
  if (ports_->datagrams_->finish_send(filled)) ports_->take_completions();
  ports_->datagrams_->count_sent();
}

void UringPorts::StreamSide::submit(std::span<const StreamOp> ops) {
  ports_->start();
  ports_->streams_->submit(ops);
  // The bytes of a write belong to the lane: the kernel takes what it can now.
  ports_->ring_->submit();
  ports_->take_completions();
}

std::size_t UringPorts::StreamSide::deliver(Sink& sink) {
  ports_->gather();
  return ports_->streams_->deliver(sink);
}

}  // namespace starling::io
