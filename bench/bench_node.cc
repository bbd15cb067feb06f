#include "bench/bench_node.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "wire/base/check.h"

namespace starling::bench {

namespace {

constexpr std::size_t piece_bytes = 65'536;
constexpr StreamId stream{stream_accepted_bit | 1};
const Endpoint peer{IpAddress::v4(127, 0, 0, 9), 7946};

EngineOptions engine_options(const BenchNode::Options& wanted) {
  EngineOptions options;
  options.name = "bench";
  options.advertise = {IpAddress::v4(127, 0, 0, 1), 7946};
  options.seed = 1;
  options.compress = false;
  if (wanted.sealed) CHECK(options.keyring.add(BenchNode::key()).has_value());
  options.swim.probe_interval = Duration::zero();
  options.swim.gossip_interval = Duration::zero();
  options.swim.push_pull_interval = Duration::zero();
  CapacityOptions& capacity = options.capacity;
  capacity.members_max = wanted.members_max;
  capacity.streams_max = 4;
  capacity.stream_frame_bytes_max = 1u << 20;
  capacity.queue_slab_bytes = std::size_t{wanted.members_max} * 256 + (1u << 20);
  capacity.event_ring_bytes = 1u << 26;
  return options;
}

// Most of a node's memory is room for the largest states and never touched.
void clear_touched_pages(MutableBytes memory) {
  const auto page_bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> touched((memory.size() + page_bytes - 1) / page_bytes);
  CHECK(mincore(memory.data(), memory.size(), touched.data()) == 0);
  for (std::size_t i = 0; i < touched.size(); ++i) {
    if ((touched[i] & 1) == 0) continue;
    const std::size_t at = i * page_bytes;
    std::memset(memory.data() + at, 0, std::min(page_bytes, memory.size() - at));
  }
}

}  // namespace

AesKey BenchNode::key() {
  constexpr std::array<std::byte, 16> octets{std::byte{1}, std::byte{2}, std::byte{3}};
  return *AesKey::from(octets);
}

BenchNode::BenchNode(const Options& wanted) : options_(engine_options(wanted)) {
  auto memory = io::MappedMemory::map({.bytes = Engine::footprint(options_), .huge_pages = true});
  CHECK(memory.has_value());
  memory_ = std::move(*memory);
  const std::size_t room = options_.packet_room_bytes();
  rooms_.resize(blanks_.size() * room);
  for (std::size_t i = 0; i < blanks_.size(); ++i) {
    blanks_[i].room = MutableBytes(rooms_).subspan(i * room, room);
  }
  restart();
}

void BenchNode::restart() {
  engine_.reset();
  clear_touched_pages(memory_.bytes());
  now_ = Instant(std::chrono::seconds(1));
  auto engine = Engine::create(options_, memory_.bytes(), now_);
  CHECK(engine.has_value());
  engine_.emplace(std::move(*engine));
}

std::size_t BenchNode::poll(std::span<const RxPacket> rx) {
  now_ += std::chrono::microseconds(1);
  const PollResult result = engine_->lane().poll(now_, rx, blanks_);
  CHECK(result.taken == rx.size());
  return result.filled;
}

void BenchNode::accept_stream() {
  engine_->lane().on_stream(
      now_, {.kind = StreamEvent::Kind::accepted, .stream = stream, .peer = peer, .bytes = {}});
}

void BenchNode::feed_stream(Bytes bytes) {
  while (!bytes.empty()) {
    const Bytes piece = bytes.first(std::min(bytes.size(), piece_bytes));
    engine_->lane().on_stream(
        now_,
        {.kind = StreamEvent::Kind::readable, .stream = stream, .peer = peer, .bytes = piece});
    bytes = bytes.subspan(piece.size());
  }
}

void BenchNode::reset_stream() {
  engine_->lane().on_stream(
      now_, {.kind = StreamEvent::Kind::failed, .stream = stream, .peer = peer, .bytes = {}});
  engine_->lane().take_stream_ops();
}

void BenchNode::drain_events() {
  while (engine_->events().drain(100'000, [](const Event&) {}) > 0) poll({});
}

Stats BenchNode::stats() {
  drain_events();
  CHECK(engine_->commands().send({.kind = Command::Kind::stats, .token = 1}));
  poll({});
  std::optional<Stats> stats;
  engine_->events().drain(100, [&](const Event& event) {
    if (event.kind == Event::Kind::stats) stats = event.stats;
  });
  CHECK(stats.has_value());
  return *stats;
}

}  // namespace starling::bench
