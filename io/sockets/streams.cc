#include "io/sockets/streams.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <cerrno>

#include "io/clock.h"

namespace starling::io {

namespace {

// memberlist's back-off when accept fails.
constexpr Duration accept_delay_min = std::chrono::milliseconds(5);
constexpr Duration accept_delay_max = std::chrono::seconds(1);
constexpr int accepts_per_turn_max = 16;
constexpr int discards_per_turn_max = 16;

// Every table row is one of: dialled, accepted, detached; streams_max of each.
constexpr std::size_t kinds_of_rows = 3;

bool out_of_resources(int error_number) {
  return error_number == EMFILE || error_number == ENFILE || error_number == ENOBUFS ||
         error_number == ENOMEM;
}

void send_at_once(const File& socket) {
  const int on = 1;
  ::setsockopt(socket.descriptor(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

std::expected<std::unique_ptr<SocketStreams>, std::string> SocketStreams::create(
    const PortOptions& options, File listener, Poller& poller, PortCounters& counters) {
  auto chunk = MappedMemory::map({.bytes = chunk_bytes});
  if (!chunk) return std::unexpected(std::move(chunk.error()));
  return std::unique_ptr<SocketStreams>(
      new SocketStreams(options, std::move(listener), poller, counters, std::move(*chunk)));
}

SocketStreams::SocketStreams(const PortOptions& options, File listener, Poller& poller,
                             PortCounters& counters, MappedMemory chunk)
    : listener_(std::move(listener)),
      zone_(options.zone),
      streams_max_(options.streams_max),
      linger_max_(options.linger_max),
      poller_(&poller),
      counters_(&counters),
      chunk_(std::move(chunk)),
      streams_(kinds_of_rows * options.streams_max),
      ids_(kinds_of_rows * options.streams_max) {
  due_.reserve(streams_.size());
  refused_.reserve(streams_.size());
  if (!listener_.open()) return;  // a lane that takes no streams
  poller_->add(listener_.descriptor(), {.kind = PollTag::Kind::listener}, EPOLLIN);
}

void SocketStreams::submit(std::span<const StreamOp> ops) {
  for (const StreamOp& op : ops) {
    if (op.kind == StreamOp::Kind::connect) {
      connect(op);
      continue;
    }
    const std::optional<std::size_t> slot = ids_.find(op.stream);
    if (!slot) continue;  // ended in the meantime; the lane has been told
    if (op.kind == StreamOp::Kind::write) write(*slot, op.bytes);
    if (op.kind == StreamOp::Kind::close) close(*slot);
    if (op.kind == StreamOp::Kind::finish) {
      streams_[*slot].finishing = true;
      if (!streams_[*slot].writing) half_close(*slot);
    }
  }
}

void SocketStreams::connect(const StreamOp& op) {
  CHECK(!is_accepted(op.stream));
  const auto refuse = [&](int error_number) {
    // Bounded by what a lane may have pending: each refusal answers one of its streams.
    if (refused_.size() < refused_.capacity()) refused_.push_back({op.stream, error_number});
  };
  if (dialled_ == streams_max_) return refuse(ENOBUFS);
  SocketAddress address;
  if (!to_socket_address(op.to, family_of(op.to.address), zone_, address)) {
    return refuse(EAFNOSUPPORT);
  }
  File socket(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.open()) return refuse(errno);
  send_at_once(socket);
  if (::connect(socket.descriptor(), address.get(), address.bytes) != 0 && errno != EINPROGRESS) {
    return refuse(errno);
  }
  const std::size_t slot = take_slot(Phase::connecting, std::move(socket), true, op.to);
  Stream& stream = streams_[slot];
  stream.id = op.stream;
  ids_.dialled(slot, op.stream);
  count(counters_->streams_dialled);
  if (!poller_->add(stream.socket.descriptor(),
                    {PollTag::Kind::stream, static_cast<std::uint16_t>(slot), stream.serial},
                    EPOLLOUT)) {
    stream.error_number = errno;
    make_due(slot);
  }
}

void SocketStreams::write(std::size_t slot, Bytes bytes) {
  Stream& stream = streams_[slot];
  CHECK(stream.phase == Phase::open && !stream.writing && !stream.finishing);
  stream.writing = true;
  stream.unwritten = bytes;
  continue_write(slot);
  if (stream.unwritten.empty()) {
    make_due(slot);
  } else {
    watch(slot);
  }
}

void SocketStreams::continue_write(std::size_t slot) {
  Stream& stream = streams_[slot];
  while (!stream.unwritten.empty()) {
    const ssize_t sent = ::send(stream.socket.descriptor(), stream.unwritten.data(),
                                stream.unwritten.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      stream.unwritten = stream.unwritten.subspan(static_cast<std::size_t>(sent));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN) return;
    stream.error_number = errno;
    stream.unwritten = {};
    make_due(slot);
  }
}

void SocketStreams::half_close(std::size_t slot) {
  Stream& stream = streams_[slot];
  if (stream.phase != Phase::open) return;
  ::shutdown(stream.socket.descriptor(), SHUT_WR);
  stream.phase = Phase::half_closed;
  stream.linger_until = MonotonicClock::now() + linger_max_;
  ++lingering_;
}

void SocketStreams::close(std::size_t slot) {
  Stream& stream = streams_[slot];
  // Nothing of ours is under way to the peer, or it must not arrive: no reason to linger.
  const bool abandon = stream.phase == Phase::connecting || !stream.unwritten.empty() ||
                       stream.peer_ended || stream.error_number != 0;
  if (abandon) return drop(slot);
  half_close(slot);
  detach(slot);
}

void SocketStreams::detach(std::size_t slot) {
  Stream& stream = streams_[slot];
  if (detached_ == streams_max_) drop_oldest_detached();
  ids_.forget(slot);
  stream.dialled ? --dialled_ : --accepted_;
  ++detached_;
  stream.phase = Phase::detached;
  stream.writing = false;
  watch(slot);
  if (!accepting_ && accept_again_ == Instant::max()) pause_accepting(MonotonicClock::now());
}

void SocketStreams::drop_oldest_detached() {
  std::size_t oldest = streams_.size();
  for (std::size_t slot = 0; slot < streams_.size(); ++slot) {
    if (streams_[slot].phase != Phase::detached) continue;
    if (oldest == streams_.size() || streams_[slot].linger_until < streams_[oldest].linger_until) {
      oldest = slot;
    }
  }
  drop(oldest);
}

void SocketStreams::drop(std::size_t slot) {
  Stream& stream = streams_[slot];
  if (stream.phase == Phase::half_closed || stream.phase == Phase::detached) --lingering_;
  if (stream.phase == Phase::detached) {
    --detached_;
  } else {
    ids_.forget(slot);
    stream.dialled ? --dialled_ : --accepted_;
  }
  if (stream.in_due) std::erase(due_, slot);
  const std::uint32_t serial = stream.serial;
  stream = Stream{};
  stream.serial = serial + 1;
  // A row for an accepted stream may be free again: look at the backlog.
  if (!accepting_ && accept_again_ == Instant::max()) pause_accepting(MonotonicClock::now());
}

std::size_t SocketStreams::take_slot(Phase phase, File socket, bool dialled, const Endpoint& peer) {
  std::size_t slot = 0;
  while (streams_[slot].phase != Phase::free) ++slot;
  Stream& stream = streams_[slot];
  stream.socket = std::move(socket);
  stream.phase = phase;
  stream.dialled = dialled;
  stream.peer = peer;
  dialled ? ++dialled_ : ++accepted_;
  return slot;
}

void SocketStreams::make_due(std::size_t slot) {
  if (streams_[slot].in_due) return;
  streams_[slot].in_due = true;
  due_.push_back(slot);
}

void SocketStreams::watch(std::size_t slot) {
  const Stream& stream = streams_[slot];
  std::uint32_t events = 0;
  // After the peer's end the socket stays readable for ever: stop looking.
  if (!stream.peer_ended) events |= EPOLLIN | EPOLLRDHUP;
  if (!stream.unwritten.empty()) events |= EPOLLOUT;
  poller_->change(stream.socket.descriptor(),
                  {PollTag::Kind::stream, static_cast<std::uint16_t>(slot), stream.serial}, events);
}

std::size_t SocketStreams::deliver(Sink& sink) {
  std::size_t delivered = 0;
  for (const Refused& refused : refused_) {
    sink.on_event({.kind = StreamEvent::Kind::failed,
                   .stream = refused.id,
                   .peer = {},
                   .bytes = {},
                   .error_number = refused.error_number});
    ++delivered;
  }
  refused_.clear();
  while (!due_.empty()) {
    const std::size_t slot = due_.back();
    due_.pop_back();
    streams_[slot].in_due = false;
    delivered += deliver_due(slot, sink);
  }
  const bool timed = lingering_ > 0 || accept_again_ != Instant::max();
  return timed ? delivered + expire(sink) : delivered;
}

std::size_t SocketStreams::deliver_due(std::size_t slot, Sink& sink) {
  Stream& stream = streams_[slot];
  if (stream.phase == Phase::free || stream.phase == Phase::detached) return 0;
  if (stream.error_number != 0) {
    return report_end(sink, slot, StreamEvent::Kind::failed, stream.error_number);
  }
  if (!stream.writing || !stream.unwritten.empty()) return 0;
  stream.writing = false;
  const std::size_t delivered = report(sink, slot, StreamEvent::Kind::written);
  if (stream.peer_ended) return delivered + report_end(sink, slot, StreamEvent::Kind::closed, 0);
  if (stream.finishing) half_close(slot);
  return delivered;
}

std::size_t SocketStreams::on_ready(PollTag tag, std::uint32_t events, Sink& sink) {
  if (tag.kind == PollTag::Kind::listener) return accept_peers(sink);
  const std::size_t slot = tag.slot;
  Stream& stream = streams_[slot];
  if (stream.phase == Phase::free || stream.serial != tag.serial) return 0;
  if (stream.phase == Phase::connecting) return finish_connect(slot, sink);
  if (stream.phase == Phase::detached) {
    discard(slot);
    return 0;
  }
  std::size_t delivered = 0;
  if ((events & EPOLLOUT) != 0 && !stream.unwritten.empty()) {
    continue_write(slot);
    if (stream.unwritten.empty()) {
      watch(slot);
      if (stream.in_due) std::erase(due_, slot);
      stream.in_due = false;
      const std::uint32_t serial = stream.serial;
      delivered += deliver_due(slot, sink);
      if (stream.serial != serial) return delivered;
    }
  }
  constexpr std::uint32_t input = EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR;
  if ((events & input) != 0) delivered += read_chunk(slot, sink);
  return delivered;
}

std::size_t SocketStreams::finish_connect(std::size_t slot, Sink& sink) {
  Stream& stream = streams_[slot];
  int error_number = 0;
  socklen_t bytes = sizeof error_number;
  ::getsockopt(stream.socket.descriptor(), SOL_SOCKET, SO_ERROR, &error_number, &bytes);
  if (error_number != 0) return report_end(sink, slot, StreamEvent::Kind::failed, error_number);
  stream.phase = Phase::open;
  watch(slot);
  return report(sink, slot, StreamEvent::Kind::connected);
}

std::size_t SocketStreams::read_chunk(std::size_t slot, Sink& sink) {
  Stream& stream = streams_[slot];
  const MutableBytes room = chunk_.bytes();
  const ssize_t got = ::recv(stream.socket.descriptor(), room.data(), room.size(), MSG_DONTWAIT);
  if (got > 0) {
    return report(sink, slot, StreamEvent::Kind::readable,
                  room.first(static_cast<std::size_t>(got)));
  }
  if (got == 0 && stream.writing) {
    stream.peer_ended = true;
    watch(slot);
    return 0;
  }
  if (got == 0) return report_end(sink, slot, StreamEvent::Kind::closed, 0);
  if (errno == EAGAIN || errno == EINTR) return 0;
  return report_end(sink, slot, StreamEvent::Kind::failed, errno);
}

void SocketStreams::discard(std::size_t slot) {
  const MutableBytes room = chunk_.bytes();
  for (int i = 0; i < discards_per_turn_max; ++i) {
    const ssize_t got =
        ::recv(streams_[slot].socket.descriptor(), room.data(), room.size(), MSG_DONTWAIT);
    if (got > 0) continue;
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    return drop(slot);
  }
}

std::size_t SocketStreams::accept_peers(Sink& sink) {
  std::size_t delivered = 0;
  for (int i = 0; i < accepts_per_turn_max; ++i) {
    // No row: peers wait in the backlog until drop() or detach() frees one.
    if (accepted_ == streams_max_) {
      pause_accepting(Instant::max());
      return delivered;
    }
    SocketAddress address;
    address.bytes = sizeof address.storage;
    File socket(::accept4(listener_.descriptor(), address.get(), &address.bytes,
                          SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket.open()) {
      if (errno == EAGAIN) return delivered;
      if (!out_of_resources(errno)) continue;  // that one peer went away again
      count(counters_->accept_failed);
      accept_delay_ = std::clamp(accept_delay_ * 2, accept_delay_min, accept_delay_max);
      pause_accepting(MonotonicClock::now() + accept_delay_);
      return delivered;
    }
    accept_delay_ = {};
    send_at_once(socket);
    const std::size_t slot =
        take_slot(Phase::open, std::move(socket), false, to_endpoint(address.storage));
    Stream& stream = streams_[slot];
    stream.id = ids_.accepted(slot);
    const PollTag tag{PollTag::Kind::stream, static_cast<std::uint16_t>(slot), stream.serial};
    if (!poller_->add(stream.socket.descriptor(), tag, EPOLLIN | EPOLLRDHUP)) {
      count(counters_->accept_failed);
      drop(slot);
      continue;
    }
    count(counters_->streams_accepted);
    delivered += report(sink, slot, StreamEvent::Kind::accepted);
  }
  return delivered;
}

// Instant::max(): until a row is free.
void SocketStreams::pause_accepting(Instant until) {
  if (accepting_) poller_->change(listener_.descriptor(), {.kind = PollTag::Kind::listener}, 0);
  accepting_ = false;
  accept_again_ = until;
}

std::size_t SocketStreams::expire(Sink& sink) {
  const Instant now = MonotonicClock::now();
  if (accept_again_ <= now) {
    accept_again_ = Instant::max();
    accepting_ = true;
    poller_->change(listener_.descriptor(), {.kind = PollTag::Kind::listener}, EPOLLIN);
  }
  std::size_t delivered = 0;
  for (std::size_t slot = 0; slot < streams_.size() && lingering_ > 0; ++slot) {
    const Stream& stream = streams_[slot];
    if (stream.phase == Phase::detached && stream.linger_until <= now) drop(slot);
    if (stream.phase == Phase::half_closed && stream.linger_until <= now) {
      delivered += report_end(sink, slot, StreamEvent::Kind::closed, 0);
    }
  }
  return delivered;
}

Instant SocketStreams::next_due() const {
  Instant next = accept_again_;
  if (lingering_ == 0) return next;
  for (const Stream& stream : streams_) {
    if (stream.phase == Phase::half_closed || stream.phase == Phase::detached) {
      next = std::min(next, stream.linger_until);
    }
  }
  return next;
}

std::size_t SocketStreams::sockets_open() const {
  return dialled_ + accepted_ + detached_;
}

std::size_t SocketStreams::report(Sink& sink, std::size_t slot, StreamEvent::Kind kind,
                                  Bytes bytes) {
  sink.on_event({.kind = kind,
                 .stream = streams_[slot].id,
                 .peer = streams_[slot].peer,
                 .bytes = bytes,
                 .error_number = 0});
  return 1;
}

std::size_t SocketStreams::report_end(Sink& sink, std::size_t slot, StreamEvent::Kind kind,
                                      int error_number) {
  const StreamEvent event{.kind = kind,
                          .stream = streams_[slot].id,
                          .peer = streams_[slot].peer,
                          .bytes = {},
                          .error_number = error_number};
  drop(slot);
  sink.on_event(event);
  return 1;
}

}  // namespace starling::io
