#include "io/faulty/streams.h"

#include <algorithm>
#include <cerrno>

#include "io/clock.h"

namespace starling::io {

void FaultyStreams::submit(std::span<const StreamOp> ops) {
  faults_ = controls_->get();
  const StreamFaults& faults = faults_.streams;
  for (const StreamOp& op : ops) {
    if (op.kind == StreamOp::Kind::connect && rng_.chance(faults.refusal)) {
      ++done_.refused;
      refused_.push_back({.kind = StreamEvent::Kind::failed,
                          .stream = op.stream,
                          .peer = op.to,
                          .bytes = {},
                          .error_number = ECONNREFUSED});
      continue;
    }
    if (op.kind == StreamOp::Kind::close) {
      forget(op.stream);
      std::erase_if(refused_, [&](const StreamEvent& event) { return event.stream == op.stream; });
    }
    if (op.kind == StreamOp::Kind::write && faults.piece_bytes > 0 &&
        op.bytes.size() > faults.piece_bytes) {
      ++done_.slowed;
      slow_.push_back({op.stream, op.bytes, {}, false});
      send_piece(slow_.back());
      continue;
    }
    SlowWrite* const slow = op.kind == StreamOp::Kind::finish ? find(op.stream) : nullptr;
    if (slow != nullptr) {
      slow->finish = true;
    } else {
      inner_->submit(std::span(&op, 1));
    }
  }
}

void FaultyStreams::send_piece(SlowWrite& write) {
  // The fault may have been switched off since: then the rest goes at once.
  const std::size_t piece_bytes = faults_.streams.piece_bytes;
  const std::size_t bytes =
      piece_bytes == 0 ? write.rest.size() : std::min(piece_bytes, write.rest.size());
  const StreamOp op{.kind = StreamOp::Kind::write,
                    .stream = write.stream,
                    .to = {},
                    .bytes = write.rest.first(bytes)};
  write.rest = write.rest.subspan(bytes);
  write.due = Instant::max();
  inner_->submit(std::span(&op, 1));
}

std::size_t FaultyStreams::deliver(Sink& sink) {
  faults_ = controls_->get();
  const Instant now = MonotonicClock::now();
  for (SlowWrite& write : slow_) {
    if (write.due <= now) send_piece(write);
  }
  passed_ = refused_.size();
  for (const StreamEvent& event : refused_) sink.on_event(event);
  refused_.clear();
  Intercept intercept(*this, sink);
  inner_->deliver(intercept);
  if (!later_.empty()) inner_->submit(later_);
  later_.clear();
  dead_.clear();
  return passed_;
}

void FaultyStreams::pass(const StreamEvent& event, Sink& sink) {
  if (std::ranges::find(dead_, event.stream) != dead_.end()) return;
  StreamEvent passed = event;
  if (event.kind == StreamEvent::Kind::readable && rng_.chance(faults_.streams.reset)) {
    ++done_.reset;
    later_.push_back(
        {.kind = StreamOp::Kind::close, .stream = event.stream, .to = {}, .bytes = {}});
    dead_.push_back(event.stream);
    passed.kind = StreamEvent::Kind::failed;
    passed.bytes = {};
    passed.error_number = ECONNRESET;
  }
  if (event.kind == StreamEvent::Kind::written) {
    SlowWrite* const slow = find(event.stream);
    if (slow != nullptr && !slow->rest.empty()) {
      slow->due = MonotonicClock::now() + faults_.streams.pause;
      return;
    }
    if (slow != nullptr && slow->finish) {
      later_.push_back(
          {.kind = StreamOp::Kind::finish, .stream = event.stream, .to = {}, .bytes = {}});
    }
    forget(event.stream);
  }
  const bool ended =
      passed.kind == StreamEvent::Kind::failed || passed.kind == StreamEvent::Kind::closed;
  if (ended) forget(event.stream);
  ++passed_;
  sink.on_event(passed);
}

Instant FaultyStreams::next_due() const {
  Instant next = Instant::max();
  for (const SlowWrite& write : slow_) next = std::min(next, write.due);
  return next;
}

FaultyStreams::SlowWrite* FaultyStreams::find(StreamId stream) {
  const auto found = std::ranges::find(slow_, stream, &SlowWrite::stream);
  return found == slow_.end() ? nullptr : &*found;
}

void FaultyStreams::forget(StreamId stream) {
  std::erase_if(slow_, [&](const SlowWrite& write) { return write.stream == stream; });
}

}  // namespace starling::io
