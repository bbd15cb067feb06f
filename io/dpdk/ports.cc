#include "io/dpdk/ports.h"

#include <rte_lcore.h>
#include <rte_pause.h>

#include <algorithm>

#include "io/clock.h"

namespace starling::io {

namespace {

using std::chrono::microseconds;

// A ping's answer over a fast link comes within this; longer than a sleep and a wake cost together.
constexpr Duration spin_max = microseconds(50);
constexpr Duration nap_min = microseconds(50);
// A thousand looks a second while idle; what a ping waits for at most.
constexpr Duration nap_max = std::chrono::milliseconds(1);
// Far enough, and no overflow.
constexpr Duration wait_max = std::chrono::hours(1);

}  // namespace

std::expected<std::unique_ptr<DpdkPorts>, std::string> DpdkPorts::create(
    const PortOptions& options, const Devices& devices, std::unique_ptr<Ports> kernel) {
  auto shared =
      SharedDevice::open(devices.main, devices.tap, DpdkDatagrams::device_options(options));
  if (!shared) return std::unexpected(std::move(shared.error()));
  return create(options, std::move(*shared), std::move(kernel));
}

std::expected<std::unique_ptr<DpdkPorts>, std::string> DpdkPorts::create(
    const PortOptions& options, std::shared_ptr<SharedDevice> shared,
    std::unique_ptr<Ports> kernel) {
  std::unique_ptr<DpdkPorts> ports(new DpdkPorts(std::move(kernel)));
  auto datagrams =
      DpdkDatagrams::create(options, ports->bound(), std::move(shared), ports->counters_);
  if (!datagrams) return std::unexpected(std::move(datagrams.error()));
  ports->datagrams_ = std::move(*datagrams);
  return ports;
}

DpdkPorts::DpdkPorts(std::unique_ptr<Ports> kernel)
    : kernel_(std::move(kernel)), datagram_side_(*this), stream_side_(*this), nap_(nap_min) {}

DpdkPorts::~DpdkPorts() = default;

void DpdkPorts::start() {
  if (started_) return;
  started_ = true;
  // A thread that DPDK does not know has no cache of packets. Full up is no harm.
  if (rte_lcore_id() == LCORE_ID_ANY) registered_ = rte_thread_register() == 0;
}

void DpdkPorts::leave() {
  kernel_->leave();
  if (registered_) rte_thread_unregister();
  registered_ = false;
}

void DpdkPorts::wait(Duration at_most) {
  start();
  at_most = std::min(at_most, wait_max);
  if (datagrams_->gather()) {
    busy_at_ = MonotonicClock::now();
    nap_ = nap_min;
    woken_.store(false, std::memory_order_relaxed);
    return;
  }
  Instant now = MonotonicClock::now();
  const Instant until = now + at_most;
  while (true) {
    // Pairs with the store in wake(): what was done before it is seen after the wait.
    if (woken_.exchange(false, std::memory_order_acquire)) return;
    if (now >= until) return;
    bool disturbed = false;
    if (now - busy_at_ < spin_max) {
      rte_pause();
      now = MonotonicClock::now();
    } else {
      const Duration nap = std::min(datagrams_->searching() ? nap_min : nap_, until - now);
      kernel_->wait(nap);
      const Instant woke = MonotonicClock::now();
      disturbed = woke - now < nap;
      nap_ = std::min(nap_ * 2, nap_max);
      now = woke;
    }
    if (datagrams_->gather()) {
      busy_at_ = now;
      nap_ = nap_min;
      return;
    }
    if (disturbed) {
      woken_.store(false, std::memory_order_relaxed);
      return;
    }
  }
}

void DpdkPorts::wake() {
  // Pairs with the exchange in wait().
  woken_.store(true, std::memory_order_release);
  kernel_->wake();
}

void DpdkPorts::copy_stream_counts() {
  const PortCounters& kernel = kernel_->counters();
  const auto copy = [](std::atomic<std::uint64_t>& to, const std::atomic<std::uint64_t>& from) {
    to.store(from.load(std::memory_order_relaxed), std::memory_order_relaxed);
  };
  copy(counters_.streams_accepted, kernel.streams_accepted);
  copy(counters_.streams_dialled, kernel.streams_dialled);
  copy(counters_.accept_failed, kernel.accept_failed);
}

std::size_t DpdkPorts::DatagramSide::receive(std::span<RxPacket> burst) {
  ports_->start();
  return ports_->datagrams_->receive(burst);
}

void DpdkPorts::DatagramSide::release(std::span<const RxPacket> burst) {
  ports_->datagrams_->release(burst);
}

std::size_t DpdkPorts::DatagramSide::borrow(std::span<TxPacket> blanks) {
  ports_->start();
  return ports_->datagrams_->borrow(blanks);
}

void DpdkPorts::DatagramSide::send(std::span<const TxPacket> filled) {
  ports_->start();
  ports_->datagrams_->send(filled);
}

void DpdkPorts::StreamSide::submit(std::span<const StreamOp> ops) {
  ports_->kernel_->streams().submit(ops);
  ports_->copy_stream_counts();
}

std::size_t DpdkPorts::StreamSide::deliver(Sink& sink) {
  const std::size_t delivered = ports_->kernel_->streams().deliver(sink);
  if (delivered > 0) ports_->copy_stream_counts();
  return delivered;
}

}  // namespace starling::io
