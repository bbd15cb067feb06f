#include "io/dpdk/shared_device.h"

#include <atomic>

namespace starling::io {

namespace {

// What all lanes together send between two looks of the first lane, which naps a millisecond at
// most.
constexpr unsigned outgoing_frames = 2048;
constexpr unsigned kernel_frames = 512;
// Neighbours that speak between two looks of a lane; who is not heard is asked again.
constexpr unsigned heard_frames = 64;
// Bursts moved in one call, so that a flood does not hold a turn up.
constexpr int bursts_max = 8;

}  // namespace

SharedDevice::Frames::~Frames() {
  if (ring_ == nullptr) return;
  std::array<rte_mbuf*, Device::burst_max> frames;
  while (const std::size_t left = take(frames)) {
    rte_pktmbuf_free_bulk(frames.data(), static_cast<unsigned>(left));
  }
  rte_ring_free(ring_);
}

bool SharedDevice::Frames::create(unsigned frames) {
  // Rings have names in DPDK; nobody looks these up.
  static std::atomic<unsigned> number = 0;
  const std::string name =
      "starling_ring_" + std::to_string(number.fetch_add(1, std::memory_order_relaxed));
  ring_ = rte_ring_create(name.c_str(), frames, SOCKET_ID_ANY, RING_F_SC_DEQ);
  return ring_ != nullptr;
}

std::size_t SharedDevice::Frames::put(std::span<rte_mbuf*> frames) {
  return rte_ring_enqueue_burst(ring_, reinterpret_cast<void**>(frames.data()),
                                static_cast<unsigned>(frames.size()), nullptr);
}

std::size_t SharedDevice::Frames::take(std::span<rte_mbuf*> frames) {
  return rte_ring_dequeue_burst(ring_, reinterpret_cast<void**>(frames.data()),
                                static_cast<unsigned>(frames.size()), nullptr);
}

std::expected<std::shared_ptr<SharedDevice>, std::string> SharedDevice::open(
    DeviceNumber number, std::optional<DeviceNumber> tap, const Device::Options& options) {
  auto device = Device::open(number, options);
  if (!device) return std::unexpected(std::move(device.error()));
  std::shared_ptr<SharedDevice> shared(new SharedDevice(std::move(*device), options.lanes));
  if (tap) {
    auto path = Device::open(*tap, {});
    if (!path) return std::unexpected(std::move(path.error()));
    shared->exception_path_.emplace(std::move(*path), shared->device_);
  }
  if (options.lanes == 1) return shared;
  bool made = shared->outgoing_.create(outgoing_frames);
  made = made && shared->for_kernel_.create(kernel_frames);
  for (std::uint32_t lane = 0; made && lane < options.lanes; ++lane) {
    made = shared->heard_.emplace_back().create(heard_frames);
  }
  if (!made) {
    return std::unexpected("DPDK device " + shared->device_.name() +
                           ": no memory for the rings between its lanes");
  }
  return shared;
}

SharedDevice::~SharedDevice() = default;

std::size_t SharedDevice::receive(std::uint32_t lane, std::span<rte_mbuf*> packets) {
  std::size_t got = 0;
  for (std::uint32_t queue = lane; queue < device_.receive_queues() && got < packets.size();
       queue += lanes_) {
    got += device_.receive(packets.subspan(got), static_cast<std::uint16_t>(queue));
  }
  return got;
}

std::size_t SharedDevice::send(std::uint32_t lane, std::span<rte_mbuf*> packets) {
  if (sends_itself(lane)) return device_.send(packets, static_cast<std::uint16_t>(lane));
  const std::size_t sent = outgoing_.put(packets);
  if (sent < packets.size()) {
    rte_pktmbuf_free_bulk(packets.data() + sent, static_cast<unsigned>(packets.size() - sent));
  }
  return sent;
}

void SharedDevice::to_kernel(std::uint32_t lane, std::span<rte_mbuf*> packets) {
  if (lane == 0) return exception_path_->up(packets);
  const std::size_t put = for_kernel_.put(packets);
  if (put < packets.size()) {
    rte_pktmbuf_free_bulk(packets.data() + put, static_cast<unsigned>(packets.size() - put));
  }
}

std::size_t SharedDevice::pump() {
  std::size_t moved = exception_path_ ? exception_path_->pump() : 0;
  if (lanes_ == 1) return moved;
  std::array<rte_mbuf*, Device::burst_max> frames;
  for (int bursts = 0; bursts < bursts_max; ++bursts) {
    const std::size_t got = outgoing_.take(frames);
    if (got > 0) device_.send(std::span(frames).first(got), 0);
    const std::size_t up = for_kernel_.take(frames);
    if (up > 0) exception_path_->up(std::span(frames).first(up));
    moved += got + up;
    if (got + up == 0) break;
  }
  return moved;
}

void SharedDevice::tell(std::uint32_t lane, rte_mbuf* frame) {
  for (std::uint32_t other = 0; other < heard_.size(); ++other) {
    if (other == lane) continue;
    rte_mbuf* copy = rte_pktmbuf_copy(frame, device_.pool(), 0, UINT32_MAX);
    if (copy == nullptr) return;
    if (heard_[other].put(std::span(&copy, 1)) == 0) rte_pktmbuf_free(copy);
  }
}

rte_mbuf* SharedDevice::heard(std::uint32_t lane) {
  rte_mbuf* frame = nullptr;
  if (heard_.empty() || heard_[lane].take(std::span(&frame, 1)) == 0) return nullptr;
  return frame;
}

std::string SharedDevice::layout() const {
  if (lanes_ == 1) return "";
  const auto count = [](std::uint32_t queues, const std::string& what) {
    return std::to_string(queues) + " " + what + (queues == 1 ? " queue" : " queues");
  };
  std::string text;
  if (device_.receive_queues() >= lanes_) {
    text = count(device_.receive_queues(), "receive") + " for " + std::to_string(lanes_) +
           " lanes, spread by " + (device_.spreads() ? "RSS" : "the driver");
  } else {
    text = count(device_.receive_queues(), "receive") + " for " + std::to_string(lanes_) +
           " lanes, the others hear by mail";
  }
  return text +
         (sends_itself(1) ? ", each sends by its own queue" : ", all send through the first lane");
}

}  // namespace starling::io
