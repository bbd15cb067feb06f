#include "agent/decode/tcp_flows.h"

namespace starling::agent::decode {
namespace {

// What a waiting segment costs besides its bytes.
constexpr std::size_t waiting_overhead_bytes = 96;

}  // namespace

std::vector<TcpStream> TcpFlows::add(const Packet& segment, std::int64_t time_us) {
  std::vector<TcpStream> done;
  const Key key{segment.source, segment.destination};
  const TcpHeader& header = segment.tcp;

  const auto known = flows_.find(key);
  if (known != flows_.end() && header.syn && known->second.first != header.sequence + 1) {
    close(key, known->second, done);  // the ports are used again
    flows_.erase(known);
    --closed_;
  }
  // Bare acknowledgements and ends of connections that nobody saw need no flow.
  if (!flows_.contains(key) && !header.syn && segment.payload.empty()) return done;
  Flow* const flow = find_or_open(key, header);
  if (flow == nullptr || flow->closed) return done;

  const std::uint32_t sequence = header.sequence + (header.syn ? 1 : 0);
  if (!segment.payload.empty() && !flow->too_large) {
    if (flow->bytes.empty() && flow->waiting.empty()) flow->time_us = time_us;
    take_bytes(*flow, sequence, segment.payload);
  }
  if (header.fin) {
    const std::uint32_t end =
        sequence + static_cast<std::uint32_t>(segment.payload.size()) - flow->next;
    const std::int64_t distance = static_cast<std::int32_t>(end);
    if (distance >= 0) flow->end = flow->bytes.size() + static_cast<std::uint64_t>(distance);
  }
  const bool complete = flow->end && *flow->end <= flow->bytes.size();
  if (complete || header.reset || (flow->too_large && header.fin)) close(key, *flow, done);
  return done;
}

TcpFlows::Flow* TcpFlows::find_or_open(const Key& key, const TcpHeader& header) {
  if (const auto known = flows_.find(key); known != flows_.end()) return &known->second;
  if (flows_.size() == limits_.flows_max && closed_ > 0) {
    std::erase_if(flows_, [](const auto& entry) { return entry.second.closed; });
    closed_ = 0;
  }
  if (flows_.size() == limits_.flows_max) {
    ++refused_;
    return nullptr;
  }
  Flow& flow = flows_[key];
  flow.first = header.sequence + (header.syn ? 1 : 0);
  flow.next = flow.first;
  flow.start_seen = header.syn;
  return &flow;
}

// Distances are signed 32-bit numbers, so that the sequence numbers may wrap around.
void TcpFlows::take_bytes(Flow& flow, std::uint32_t sequence, Bytes payload) {
  const std::int64_t distance = static_cast<std::int32_t>(sequence - flow.next);
  if (distance > 0) {
    std::vector<std::byte>& place =
        flow.waiting[flow.bytes.size() + static_cast<std::uint64_t>(distance)];
    if (place.size() >= payload.size()) return;
    bytes_held_ += payload.size() - place.size() + (place.empty() ? waiting_overhead_bytes : 0);
    place.assign(payload.begin(), payload.end());
  } else {
    const auto known = static_cast<std::size_t>(-distance);
    if (known >= payload.size()) return;
    const Bytes fresh = payload.subspan(known);
    flow.bytes.insert(flow.bytes.end(), fresh.begin(), fresh.end());
    flow.next += static_cast<std::uint32_t>(fresh.size());
    bytes_held_ += fresh.size();
    join_waiting(flow);
  }
  if (bytes_held_ > limits_.bytes_max) give_up(flow);
}

void TcpFlows::join_waiting(Flow& flow) {
  while (!flow.waiting.empty() && flow.waiting.begin()->first <= flow.bytes.size()) {
    const auto first = flow.waiting.begin();
    const Bytes waited = first->second;
    const std::uint64_t known = flow.bytes.size() - first->first;
    bytes_held_ -= waited.size() + waiting_overhead_bytes;
    if (known < waited.size()) {
      const Bytes fresh = waited.subspan(static_cast<std::size_t>(known));
      flow.bytes.insert(flow.bytes.end(), fresh.begin(), fresh.end());
      flow.next += static_cast<std::uint32_t>(fresh.size());
      bytes_held_ += fresh.size();
    }
    flow.waiting.erase(first);
  }
}

void TcpFlows::give_up(Flow& flow) {
  bytes_held_ -= flow.bytes.size();
  for (const auto& [place, waited] : flow.waiting) {
    bytes_held_ -= waited.size() + waiting_overhead_bytes;
  }
  flow.bytes = {};
  flow.waiting.clear();
  flow.too_large = true;
}

void TcpFlows::close(const Key& key, Flow& flow, std::vector<TcpStream>& done) {
  if (flow.closed) return;
  const std::size_t bytes = flow.bytes.size();
  const bool carried = !flow.bytes.empty() || !flow.waiting.empty() || flow.too_large;
  if (carried) {
    done.push_back({.source = key.source,
                    .destination = key.destination,
                    .time_us = flow.time_us,
                    .bytes = std::move(flow.bytes),
                    .start_seen = flow.start_seen,
                    .gap = !flow.waiting.empty() || (flow.end && *flow.end > bytes),
                    .too_large = flow.too_large});
  }
  if (carried) bytes_held_ -= bytes;  // moved out
  flow.bytes = {};
  give_up(flow);
  flow.closed = true;
  ++closed_;
}

std::vector<TcpStream> TcpFlows::finish() {
  std::vector<TcpStream> done;
  for (auto& [key, flow] : flows_) close(key, flow, done);
  return done;
}

}  // namespace starling::agent::decode
