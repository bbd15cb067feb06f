#include "io/memory/streams.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "io/clock.h"
#include "io/memory/ports.h"

namespace starling::io {

MemoryStreams::MemoryStreams(const PortOptions& options, Switchboard& switchboard,
                             MemoryPorts& owner, PortCounters& counters)
    : switchboard_(&switchboard),
      owner_(&owner),
      counters_(&counters),
      streams_max_(options.streams_max),
      linger_max_(options.linger_max),
      streams_(2 * options.streams_max),
      ids_(2 * options.streams_max),
      chunk_(chunk_bytes) {
  refused_.reserve(2 * options.streams_max);
}

void MemoryStreams::submit(std::span<const StreamOp> ops) {
  const std::lock_guard lock(switchboard_->mutex);
  for (const StreamOp& op : ops) {
    if (op.kind == StreamOp::Kind::connect) {
      connect(op);
      continue;
    }
    const std::optional<std::size_t> row = ids_.find(op.stream);
    if (!row) continue;  // ended in the meantime; the lane has been told
    Stream& stream = streams_[*row];
    if (op.kind == StreamOp::Kind::close) close(*row);
    if (op.kind == StreamOp::Kind::write) {
      CHECK(stream.phase == Phase::open && !stream.writing && !stream.finishing);
      stream.writing = true;
      stream.unwritten = op.bytes;
      continue_write(stream);
    }
    if (op.kind == StreamOp::Kind::finish) {
      stream.finishing = true;
      if (!stream.writing) half_close(*row);
    }
  }
  attention_ = true;
}

void MemoryStreams::connect(const StreamOp& op) {
  CHECK(!is_accepted(op.stream));
  const auto refuse = [&](int error_number) {
    if (refused_.size() == refused_.capacity()) return;
    refused_.push_back({.kind = StreamEvent::Kind::failed,
                        .stream = op.stream,
                        .peer = op.to,
                        .bytes = {},
                        .error_number = error_number});
  };
  if (dialled_ == streams_max_) return refuse(ENOBUFS);
  MemoryPorts* const target = switchboard_->find(op.to);
  if (target == nullptr) return refuse(ECONNREFUSED);
  MemoryStreams& there = target->memory_streams();
  if (there.backlog_.size() == backlog_max) return refuse(ETIMEDOUT);
  auto connection = std::make_shared<Connection>();
  connection->side[0] = this;
  connection->from = owner_->bound();
  const std::size_t row = take_row();
  Stream& stream = streams_[row];
  stream.phase = Phase::open;
  stream.dialled = true;
  stream.id = op.stream;
  stream.peer = op.to;
  stream.connection = connection;
  stream.side = 0;
  ids_.dialled(row, op.stream);
  ++dialled_;
  count(counters_->streams_dialled);
  there.backlog_.push_back(std::move(connection));
  there.attention_ = true;
  target->notify();
}

void MemoryStreams::continue_write(Stream& stream) {
  Pipe& pipe = stream.outgoing();
  if (pipe.reset) {
    stream.error_number = ECONNRESET;
    stream.unwritten = {};
  } else if (pipe.ended || stream.connection == nullptr) {
    stream.unwritten = {};  // nobody reads it any more
  }
  std::size_t moved = 0;
  if (!stream.unwritten.empty() && pipe.bytes == nullptr) {
    pipe.bytes = std::make_unique_for_overwrite<std::byte[]>(pipe_bytes);
  }
  while (!stream.unwritten.empty() && pipe.room() > 0) {
    const std::size_t at = pipe.put % pipe_bytes;
    const std::size_t run = std::min({stream.unwritten.size(), pipe.room(), pipe_bytes - at});
    std::memcpy(pipe.bytes.get() + at, stream.unwritten.data(), run);
    stream.unwritten = stream.unwritten.subspan(run);
    pipe.put += run;
    moved += run;
  }
  if (moved > 0) nudge_peer(stream);
}

void MemoryStreams::half_close(std::size_t row) {
  Stream& stream = streams_[row];
  if (stream.phase != Phase::open) return;
  stream.outgoing().ended = true;
  nudge_peer(stream);
  stream.phase = Phase::half_closed;
  stream.linger_until = MonotonicClock::now() + linger_max_;
}

void MemoryStreams::close(std::size_t row) {
  Stream& stream = streams_[row];
  if (!stream.unwritten.empty()) stream.outgoing().reset = true;
  free(row);
}

// What the peer still writes is thrown away; what was written to it stays readable.
void MemoryStreams::free(std::size_t row) {
  Stream& stream = streams_[row];
  stream.outgoing().ended = true;
  stream.incoming().ended = true;
  nudge_peer(stream);
  stream.connection->side[stream.side] = nullptr;
  ids_.forget(row);
  stream.dialled ? --dialled_ : --accepted_;
  stream = Stream{};
}

void MemoryStreams::abandon_all() {
  for (std::size_t row = 0; row < streams_.size(); ++row) {
    Stream& stream = streams_[row];
    if (stream.phase == Phase::free) continue;
    if (stream.incoming().size() > 0) stream.outgoing().reset = stream.incoming().reset = true;
    free(row);
  }
  for (const std::shared_ptr<Connection>& waiting : backlog_) {
    waiting->to[0].reset = waiting->to[1].reset = true;
    MemoryStreams* const dialler = waiting->side[0];
    if (dialler == nullptr) continue;
    dialler->attention_ = true;
    dialler->owner_->notify();
  }
  backlog_.clear();
}

void MemoryStreams::nudge_peer(const Stream& stream) {
  MemoryStreams* const peer = stream.connection->side[1 - stream.side];
  if (peer == nullptr) return;
  peer->attention_ = true;
  peer->owner_->notify();
}

std::size_t MemoryStreams::take_row() {
  std::size_t row = 0;
  while (streams_[row].phase != Phase::free) ++row;
  return row;
}

void MemoryStreams::accept_waiting() {
  while (!backlog_.empty() && accepted_ < streams_max_) {
    const std::size_t row = take_row();
    Stream& stream = streams_[row];
    stream.connection = std::move(backlog_.front());
    backlog_.pop_front();
    stream.connection->side[1] = this;
    stream.side = 1;
    stream.phase = Phase::open;
    stream.peer = stream.connection->from;
    stream.id = ids_.accepted(row);
    ++accepted_;
    count(counters_->streams_accepted);
  }
}

std::size_t MemoryStreams::deliver(Sink& sink) {
  std::unique_lock lock(switchboard_->mutex);
  const Instant now = MonotonicClock::now();
  if (!attention_ && next_due() > now) return 0;
  attention_ = false;
  accept_waiting();
  std::size_t delivered = refused_.size();
  lock.unlock();
  // Only this thread adds to it.
  for (const StreamEvent& event : refused_) sink.on_event(event);
  refused_.clear();
  for (std::size_t row = 0; row < streams_.size(); ++row) {
    lock.lock();
    const Saying saying = look_at(row, now);
    lock.unlock();
    for (const StreamEvent& event : std::span(saying.events).first(saying.count)) {
      sink.on_event(event);
    }
    delivered += saying.count;
  }
  return delivered;
}

MemoryStreams::Saying MemoryStreams::look_at(std::size_t row, Instant now) {
  Stream& stream = streams_[row];
  Saying saying;
  if (stream.phase == Phase::free) return saying;
  const auto say = [&](StreamEvent::Kind kind, Bytes bytes = {}, int error_number = 0) {
    saying.events[saying.count++] = {.kind = kind,
                                     .stream = stream.id,
                                     .peer = stream.peer,
                                     .bytes = bytes,
                                     .error_number = error_number};
  };
  if (!stream.announced) {
    stream.announced = true;
    say(stream.dialled ? StreamEvent::Kind::connected : StreamEvent::Kind::accepted);
  }
  Pipe& incoming = stream.incoming();
  if (incoming.reset || stream.error_number != 0) {
    say(StreamEvent::Kind::failed, {}, ECONNRESET);
    free(row);
    attention_ = true;  // a row is free: the backlog may go on
    return saying;
  }
  const std::size_t got = take_chunk(incoming);
  if (got > 0) {
    say(StreamEvent::Kind::readable, Bytes(chunk_).first(got));
    nudge_peer(stream);  // there is room again
    attention_ = attention_ || incoming.size() > 0 || incoming.ended;
  }
  if (stream.writing) continue_write(stream);
  if (stream.error_number != 0) attention_ = true;
  if (stream.writing && stream.unwritten.empty() && stream.error_number == 0) {
    stream.writing = false;
    say(StreamEvent::Kind::written);
    if (stream.finishing) half_close(row);
  }
  const bool peer_ended = incoming.ended && incoming.size() == 0 && got == 0;
  const bool lingered = stream.phase == Phase::half_closed && stream.linger_until <= now;
  if ((peer_ended && !stream.writing) || lingered) {
    say(StreamEvent::Kind::closed);
    free(row);
    attention_ = true;
  }
  return saying;
}

std::size_t MemoryStreams::take_chunk(Pipe& pipe) {
  const std::size_t got = std::min(pipe.size(), chunk_.size());
  if (got == 0) return 0;
  const std::size_t at = pipe.taken % pipe_bytes;
  const std::size_t run = std::min(got, pipe_bytes - at);
  std::memcpy(chunk_.data(), pipe.bytes.get() + at, run);
  std::memcpy(chunk_.data() + run, pipe.bytes.get(), got - run);
  pipe.taken += got;
  return got;
}

Instant MemoryStreams::next_due() const {
  Instant next = Instant::max();
  for (const Stream& stream : streams_) {
    if (stream.phase == Phase::half_closed) next = std::min(next, stream.linger_until);
  }
  return next;
}

}  // namespace starling::io
