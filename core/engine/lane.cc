#include "core/engine/lane.h"

#include "core/shard/shard.h"

namespace starling {

PollResult Lane::poll(Instant now, std::span<const RxPacket> rx, std::span<TxPacket> tx) {
  return shard_->poll(now, rx, tx);
}

void Lane::on_stream(Instant now, const StreamEvent& event) {
  shard_->on_stream(now, event);
}

bool Lane::wants_streams() const {
  return shard_->wants_streams();
}

bool Lane::has_mail() const {
  return shard_->has_mail();
}

std::span<const StreamOp> Lane::take_stream_ops() {
  return shard_->take_stream_ops();
}

}  // namespace starling
