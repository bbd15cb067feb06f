#include "io/uring/streams.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>

#include "io/clock.h"

namespace starling::io {

namespace {

// memberlist's back-off when accept fails.
constexpr Duration accept_delay_min = std::chrono::milliseconds(5);
constexpr Duration accept_delay_max = std::chrono::seconds(1);

// Every row is one of: dialled, accepted, detached, gone; streams_max of each.
constexpr std::size_t kinds_of_rows = 4;
constexpr std::size_t write_bytes_max = 1u << 30;

bool out_of_resources(int error_number) {
  return error_number == EMFILE || error_number == ENFILE || error_number == ENOBUFS ||
         error_number == ENOMEM;
}

void send_at_once(const File& socket) {
  const int on = 1;
  ::setsockopt(socket.descriptor(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

std::expected<std::unique_ptr<UringStreams>, std::string> UringStreams::create(
    const PortOptions& options, Ring& ring, int listener, PortCounters& counters) {
  auto buffers = BufferRing::create(
      ring, {.group = buffer_group, .buffers = chunks, .buffer_bytes = chunk_bytes});
  if (!buffers) return std::unexpected(std::move(buffers.error()));
  return std::unique_ptr<UringStreams>(
      new UringStreams(options, ring, listener, std::move(*buffers), counters));
}

UringStreams::UringStreams(const PortOptions& options, Ring& ring, int listener, BufferRing buffers,
                           PortCounters& counters)
    : ring_(&ring),
      listener_(listener),
      zone_(options.zone),
      streams_max_(options.streams_max),
      linger_max_(options.linger_max),
      buffers_(std::move(buffers)),
      counters_(&counters),
      streams_(kinds_of_rows * options.streams_max),
      ids_(kinds_of_rows * options.streams_max) {
  due_.reserve(streams_.size());
  delivering_.reserve(streams_.size());
  starved_.reserve(streams_.size());
  refused_.reserve(streams_.size());
}

void UringStreams::submit(std::span<const StreamOp> ops) {
  for (const StreamOp& op : ops) {
    if (op.kind == StreamOp::Kind::connect) {
      connect(op);
      continue;
    }
    const std::optional<std::size_t> row = ids_.find(op.stream);
    if (!row) continue;  // ended in the meantime; the lane has been told
    if (op.kind == StreamOp::Kind::write) write(*row, op.bytes);
    if (op.kind == StreamOp::Kind::close) close(*row);
    if (op.kind == StreamOp::Kind::finish) {
      streams_[*row].finishing = true;
      if (!streams_[*row].writing) half_close(*row);
    }
  }
}

void UringStreams::connect(const StreamOp& op) {
  CHECK(!is_accepted(op.stream));
  const auto refuse = [&](int error_number) {
    // Bounded by what a lane may have pending: each refusal answers one of its streams.
    if (refused_.size() < refused_.capacity()) refused_.push_back({op.stream, error_number});
  };
  const std::optional<std::size_t> row = free_row();
  if (dialled_ == streams_max_ || !row) return refuse(ENOBUFS);
  Stream& stream = streams_[*row];
  if (!to_socket_address(op.to, family_of(op.to.address), zone_, stream.address)) {
    return refuse(EAFNOSUPPORT);
  }
  stream.socket = File(::socket(stream.address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!stream.socket.open()) return refuse(errno);
  send_at_once(stream.socket);
  stream.phase = Phase::connecting;
  stream.dialled = true;
  stream.peer = op.to;
  stream.id = op.stream;
  ids_.dialled(*row, op.stream);
  ++dialled_;
  count(counters_->streams_dialled);
  stream.connect_under_way = true;
  io_uring_sqe* const sqe = ring_->prepare(tag(RingTag::Kind::connect, *row));
  io_uring_prep_connect(sqe, stream.socket.descriptor(), stream.address.get(),
                        stream.address.bytes);
}

void UringStreams::write(std::size_t row, Bytes bytes) {
  Stream& stream = streams_[row];
  CHECK(stream.phase == Phase::open && !stream.writing && !stream.finishing);
  stream.writing = true;
  stream.unwritten = bytes;
  if (bytes.empty()) return make_due(row);
  // A stream that has failed already will say so instead of writing.
  if (stream.error_number == 0) prepare_write(row);
}

void UringStreams::prepare_write(std::size_t row) {
  Stream& stream = streams_[row];
  io_uring_sqe* const sqe = ring_->prepare(tag(RingTag::Kind::write, row));
  io_uring_prep_send(sqe, stream.socket.descriptor(), stream.unwritten.data(),
                     std::min(stream.unwritten.size(), write_bytes_max),
                     MSG_DONTWAIT | MSG_NOSIGNAL);
  stream.write_under_way = true;
  stream.waiting_for_room = false;
}

void UringStreams::prepare_read(std::size_t row) {
  Stream& stream = streams_[row];
  io_uring_sqe* const sqe = ring_->prepare(tag(RingTag::Kind::read, row));
  io_uring_prep_recv(sqe, stream.socket.descriptor(), nullptr, chunk_bytes, 0);
  sqe->flags |= IOSQE_BUFFER_SELECT;
  sqe->buf_group = buffer_group;
  stream.read_under_way = true;
}

void UringStreams::half_close(std::size_t row) {
  Stream& stream = streams_[row];
  if (stream.phase != Phase::open) return;
  ::shutdown(stream.socket.descriptor(), SHUT_WR);
  stream.phase = Phase::half_closed;
  stream.linger_until = MonotonicClock::now() + linger_max_;
  ++lingering_;
}

void UringStreams::close(std::size_t row) {
  Stream& stream = streams_[row];
  // Nothing of ours is under way to the peer, or it must not arrive: no reason to linger.
  const bool abandon = stream.phase == Phase::connecting || !stream.unwritten.empty() ||
                       stream.peer_ended || stream.error_number != 0;
  if (abandon) return drop(row);
  half_close(row);
  detach(row);
}

void UringStreams::detach(std::size_t row) {
  Stream& stream = streams_[row];
  if (detached_ == streams_max_) drop_oldest_detached();
  ids_.forget(row);
  stream.dialled ? --dialled_ : --accepted_;
  ++detached_;
  stream.phase = Phase::detached;
  stream.writing = false;
  if (stream.has_chunk) buffers_.give(stream.chunk);
  stream.has_chunk = false;
  std::erase(starved_, row);
  if (!stream.read_under_way) prepare_read(row);
}

void UringStreams::drop_oldest_detached() {
  std::size_t oldest = streams_.size();
  for (std::size_t row = 0; row < streams_.size(); ++row) {
    if (streams_[row].phase != Phase::detached) continue;
    if (oldest == streams_.size() || streams_[row].linger_until < streams_[oldest].linger_until) {
      oldest = row;
    }
  }
  drop(oldest);
}

void UringStreams::drop(std::size_t row) {
  Stream& stream = streams_[row];
  if (stream.phase == Phase::half_closed || stream.phase == Phase::detached) --lingering_;
  if (stream.phase == Phase::detached) {
    --detached_;
  } else {
    ids_.forget(row);
    stream.dialled ? --dialled_ : --accepted_;
  }
  stream.phase = Phase::gone;
  if (stream.in_due) std::erase(due_, row);
  stream.in_due = false;
  std::erase(starved_, row);
  if (stream.has_chunk) buffers_.give(stream.chunk);
  stream.has_chunk = false;
  stream.unwritten = {};
  if (stream.connect_under_way) cancel(tag(RingTag::Kind::connect, row));
  if (stream.read_under_way) cancel(tag(RingTag::Kind::read, row));
  if (stream.write_under_way) {
    cancel(tag(stream.waiting_for_room ? RingTag::Kind::writable : RingTag::Kind::write, row));
  }
  free_if_idle(row);
}

void UringStreams::free_if_idle(std::size_t row) {
  Stream& stream = streams_[row];
  if (stream.phase != Phase::gone || !stream.idle()) return;
  const std::uint32_t serial = stream.serial;
  stream = Stream{};
  stream.serial = serial + 1;
}

void UringStreams::cancel(RingTag target) {
  io_uring_sqe* const sqe = ring_->prepare({.kind = RingTag::Kind::ignored});
  io_uring_prep_cancel64(sqe, target.packed(), 0);
  sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
}

std::optional<std::size_t> UringStreams::free_row() const {
  for (std::size_t row = 0; row < streams_.size(); ++row) {
    if (streams_[row].phase == Phase::free) return row;
  }
  return std::nullopt;
}

void UringStreams::make_due(std::size_t row) {
  if (streams_[row].in_due) return;
  streams_[row].in_due = true;
  due_.push_back(row);
}

RingTag UringStreams::tag(RingTag::Kind kind, std::size_t row) const {
  return {kind, static_cast<std::uint16_t>(row), streams_[row].serial};
}

void UringStreams::arm_accepts() {
  if (listener_ < 0 || accept_again_ != Instant::max()) return;
  for (std::size_t which = 0; which < accepts; ++which) {
    Accept& accept = accepts_[which];
    if (accept.under_way) continue;
    // Each accept under way keeps a row free for its peer.
    if (accepted_ + accepts_under_way_ >= streams_max_) return;
    accept.address.bytes = sizeof accept.address.storage;
    io_uring_sqe* const sqe =
        ring_->prepare({RingTag::Kind::accept, static_cast<std::uint16_t>(which), 0});
    io_uring_prep_accept(sqe, listener_, accept.address.get(), &accept.address.bytes, SOCK_CLOEXEC);
    accept.under_way = true;
    ++accepts_under_way_;
  }
}

void UringStreams::on_completion(RingTag completed, int result, unsigned flags) {
  if (completed.kind == RingTag::Kind::accept) return on_accept(completed.slot, result);
  const std::size_t row = completed.slot;
  // A row is given to another stream only after its last completion.
  CHECK(row < streams_.size() && streams_[row].serial == completed.serial);
  if (completed.kind == RingTag::Kind::connect) on_connect(row, result);
  if (completed.kind == RingTag::Kind::read) on_read(row, result, flags);
  if (completed.kind == RingTag::Kind::write) on_write(row, result);
  if (completed.kind == RingTag::Kind::writable) {
    streams_[row].write_under_way = false;
    if (!streams_[row].unwritten.empty()) {
      prepare_write(row);
      urgent_ = true;
    }
  }
  free_if_idle(row);
}

void UringStreams::on_accept(std::size_t which, int result) {
  accepts_[which].under_way = false;
  --accepts_under_way_;
  if (result < 0) {
    if (!out_of_resources(-result)) return;
    count(counters_->accept_failed);
    accept_delay_ = std::clamp(accept_delay_ * 2, accept_delay_min, accept_delay_max);
    accept_again_ = MonotonicClock::now() + accept_delay_;
    return;
  }
  accept_delay_ = {};
  File socket(result);
  const std::optional<std::size_t> row = free_row();
  if (!row) return count(counters_->accept_failed);
  send_at_once(socket);
  Stream& stream = streams_[*row];
  stream.socket = std::move(socket);
  stream.phase = Phase::open;
  stream.peer = to_endpoint(accepts_[which].address.storage);
  stream.id = ids_.accepted(*row);
  ++accepted_;
  count(counters_->streams_accepted);
  prepare_read(*row);
  make_due(*row);
}

void UringStreams::on_connect(std::size_t row, int result) {
  Stream& stream = streams_[row];
  stream.connect_under_way = false;
  if (stream.phase != Phase::connecting) return;
  if (result == 0) {
    stream.phase = Phase::open;
    prepare_read(row);
  } else {
    stream.error_number = -result;
  }
  make_due(row);
}

void UringStreams::on_read(std::size_t row, int result, unsigned flags) {
  Stream& stream = streams_[row];
  stream.read_under_way = false;
  const bool has_buffer = (flags & IORING_CQE_F_BUFFER) != 0;
  const bool wanted = stream.phase == Phase::open || stream.phase == Phase::half_closed;
  if (has_buffer && (!wanted || result <= 0)) buffers_.give(BufferRing::of(flags));
  if (stream.phase == Phase::gone) return;
  if (result == -ENOBUFS) return starved_.push_back(row);
  if (result == -EINTR) return prepare_read(row);
  if (stream.phase == Phase::detached) {
    if (result > 0) return prepare_read(row);
    return drop(row);
  }
  if (result > 0) {
    CHECK(has_buffer && !stream.has_chunk);
    stream.has_chunk = true;
    stream.chunk = static_cast<std::uint32_t>(BufferRing::of(flags));
    stream.chunk_size = static_cast<std::uint32_t>(result);
  } else if (result == 0) {
    stream.peer_ended = true;
  } else if (stream.error_number == 0) {
    stream.error_number = -result;
  }
  make_due(row);
}

void UringStreams::on_write(std::size_t row, int result) {
  Stream& stream = streams_[row];
  stream.write_under_way = false;
  if (stream.phase == Phase::gone) return;
  if (result < 0 && result != -EAGAIN && result != -EINTR) {
    if (stream.error_number == 0) stream.error_number = -result;
    stream.unwritten = {};
    return make_due(row);
  }
  if (result > 0) stream.unwritten = stream.unwritten.subspan(static_cast<std::size_t>(result));
  if (stream.unwritten.empty()) return make_due(row);
  io_uring_sqe* const sqe = ring_->prepare(tag(RingTag::Kind::writable, row));
  io_uring_prep_poll_add(sqe, stream.socket.descriptor(), POLLOUT);
  stream.write_under_way = true;
  stream.waiting_for_room = true;
}

std::size_t UringStreams::deliver(StreamPort::Sink& sink) {
  std::size_t delivered = refused_.size();
  for (const Refused& refused : refused_) {
    sink.on_event({.kind = StreamEvent::Kind::failed,
                   .stream = refused.id,
                   .peer = {},
                   .bytes = {},
                   .error_number = refused.error_number});
  }
  refused_.clear();
  // One pass: what becomes due by delivering waits for the next call.
  std::swap(due_, delivering_);
  for (const std::size_t row : delivering_) {
    streams_[row].in_due = false;
    delivered += deliver_due(row, sink);
  }
  delivering_.clear();
  // Chunks were given back: reads that found none can go on.
  for (const std::size_t row : starved_) prepare_read(row);
  starved_.clear();
  const bool timed = lingering_ > 0 || accept_again_ != Instant::max();
  if (timed) delivered += expire(sink);
  arm_accepts();
  return delivered;
}

std::size_t UringStreams::deliver_due(std::size_t row, StreamPort::Sink& sink) {
  Stream& stream = streams_[row];
  if (stream.phase == Phase::free || stream.phase == Phase::detached ||
      stream.phase == Phase::gone) {
    return 0;
  }
  std::size_t delivered = 0;
  if (!stream.announced && stream.phase != Phase::connecting) {
    stream.announced = true;
    report(sink, row, stream.dialled ? StreamEvent::Kind::connected : StreamEvent::Kind::accepted);
    ++delivered;
  }
  if (stream.has_chunk) {
    report(sink, row, StreamEvent::Kind::readable,
           buffers_.at(stream.chunk).first(stream.chunk_size));
    ++delivered;
    buffers_.give(stream.chunk);
    stream.has_chunk = false;
    if (stream.error_number == 0) prepare_read(row);
  }
  if (stream.error_number != 0) {
    report_end(sink, row, StreamEvent::Kind::failed, stream.error_number);
    return delivered + 1;
  }
  if (stream.writing && stream.unwritten.empty() && !stream.write_under_way) {
    stream.writing = false;
    report(sink, row, StreamEvent::Kind::written);
    ++delivered;
    if (stream.finishing) half_close(row);
  }
  if (stream.peer_ended && !stream.writing) {
    report_end(sink, row, StreamEvent::Kind::closed, 0);
    ++delivered;
  }
  return delivered;
}

std::size_t UringStreams::expire(StreamPort::Sink& sink) {
  const Instant now = MonotonicClock::now();
  if (accept_again_ <= now) accept_again_ = Instant::max();
  std::size_t delivered = 0;
  for (std::size_t row = 0; row < streams_.size() && lingering_ > 0; ++row) {
    const Stream& stream = streams_[row];
    if (stream.phase == Phase::detached && stream.linger_until <= now) drop(row);
    if (stream.phase == Phase::half_closed && stream.linger_until <= now) {
      report_end(sink, row, StreamEvent::Kind::closed, 0);
      ++delivered;
    }
  }
  return delivered;
}

Instant UringStreams::next_due() const {
  Instant next = accept_again_;
  if (lingering_ == 0) return next;
  for (const Stream& stream : streams_) {
    if (stream.phase == Phase::half_closed || stream.phase == Phase::detached) {
      next = std::min(next, stream.linger_until);
    }
  }
  return next;
}

void UringStreams::report(StreamPort::Sink& sink, std::size_t row, StreamEvent::Kind kind,
                          Bytes bytes) {
  sink.on_event({.kind = kind,
                 .stream = streams_[row].id,
                 .peer = streams_[row].peer,
                 .bytes = bytes,
                 .error_number = 0});
}

void UringStreams::report_end(StreamPort::Sink& sink, std::size_t row, StreamEvent::Kind kind,
                              int error_number) {
  const StreamEvent event{.kind = kind,
                          .stream = streams_[row].id,
                          .peer = streams_[row].peer,
                          .bytes = {},
                          .error_number = error_number};
  drop(row);
  sink.on_event(event);
}

}  // namespace starling::io
