// What a datagram costs through each kind of port, against a bare loop of system calls.
//
// One thread plays both ends, so a round is the processor time of a ping and its ack: two sends and
// two receives. Items per second are ping-acks per second of one core.
#include <benchmark/benchmark.h>
#include <sys/socket.h>

#include <array>

#include "io/bind.h"
#include "io/memory/network.h"
#include "io/open.h"

namespace starling::io {

namespace {

constexpr std::size_t batch = 64;
const PortOptions loopback{.bind = {IpAddress::v4(127, 0, 0, 1), 0}};

std::unique_ptr<Ports> open_kernel(PortChoice choice) {
  PortOptions options = loopback;
  options.choice = choice;
  auto opened = open_ports(options);
  return opened ? std::move(opened->ports) : nullptr;
}

// Sends a full batch, then takes what arrives until all of it is there.
bool move_batch(Ports& from, Ports& to, std::uint32_t bytes) {
  std::array<TxPacket, batch> blanks;
  if (from.datagrams().borrow(blanks) != batch) return false;
  for (TxPacket& blank : blanks) {
    blank.to = to.bound();
    blank.bytes = bytes;
  }
  from.datagrams().send(blanks);
  std::array<RxPacket, batch> burst;
  std::size_t received = 0;
  for (int tries = 0; received < batch && tries < 1'000; ++tries) {
    const std::size_t got = to.datagrams().receive(burst);
    to.datagrams().release(std::span(burst).first(got));
    received += got;
    if (got == 0) to.wait(std::chrono::milliseconds(1));
  }
  return received == batch;
}

void ping_acks(benchmark::State& state, Ports* a, Ports* b) {
  if (a == nullptr || b == nullptr) return state.SkipWithError("these ports cannot be opened here");
  const auto bytes = static_cast<std::uint32_t>(state.range(0));
  for (auto _ : state) {
    if (!move_batch(*a, *b, bytes) || !move_batch(*b, *a, bytes)) {
      return state.SkipWithError("a datagram was lost");
    }
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * batch));
}

void Uring(benchmark::State& state) {
  const auto a = open_kernel(PortChoice::uring), b = open_kernel(PortChoice::uring);
  ping_acks(state, a.get(), b.get());
}

void Sockets(benchmark::State& state) {
  const auto a = open_kernel(PortChoice::sockets), b = open_kernel(PortChoice::sockets);
  ping_acks(state, a.get(), b.get());
}

void Memory(benchmark::State& state) {
  MemoryNetwork network;
  const auto a = std::move(*network.open(loopback)), b = std::move(*network.open(loopback));
  ping_acks(state, a.get(), b.get());
}

// sendmmsg and recvmmsg with everything prepared once: the floor for Sockets.
void Bare(benchmark::State& state) {
  const auto a = bind_sockets(loopback), b = bind_sockets(loopback);
  if (!a || !b) return state.SkipWithError("no sockets");
  std::array<std::array<std::byte, 2'048>, batch> rooms{};
  std::array<mmsghdr, batch> out{}, in{};
  std::array<iovec, batch> out_vectors{}, in_vectors{};
  SocketAddress to;
  for (std::size_t i = 0; i < batch; ++i) {
    out_vectors[i] = {rooms[i].data(), static_cast<std::size_t>(state.range(0))};
    in_vectors[i] = {rooms[i].data(), rooms[i].size()};
    out[i].msg_hdr.msg_iov = &out_vectors[i];
    in[i].msg_hdr.msg_iov = &in_vectors[i];
    out[i].msg_hdr.msg_iovlen = in[i].msg_hdr.msg_iovlen = 1;
    out[i].msg_hdr.msg_name = to.get();
  }
  const auto move = [&](const BoundSockets& from, const BoundSockets& target) {
    to_socket_address(target.bound, target.family, Zone::none, to);
    for (mmsghdr& header : out) header.msg_hdr.msg_namelen = to.bytes;
    ::sendmmsg(from.datagrams.descriptor(), out.data(), batch, 0);
    std::size_t received = 0;
    for (int tries = 0; received < batch && tries < 1'000'000; ++tries) {
      const int got =
          ::recvmmsg(target.datagrams.descriptor(), in.data(), batch, MSG_DONTWAIT, nullptr);
      if (got > 0) received += static_cast<std::size_t>(got);
    }
    return received == batch;
  };
  for (auto _ : state) {
    if (!move(*a, *b) || !move(*b, *a)) return state.SkipWithError("a datagram was lost");
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * batch));
}

BENCHMARK(Bare)->Arg(64)->Arg(512)->Arg(1400);
BENCHMARK(Sockets)->Arg(64)->Arg(512)->Arg(1400);
BENCHMARK(Uring)->Arg(64)->Arg(512)->Arg(1400);
BENCHMARK(Memory)->Arg(64)->Arg(512)->Arg(1400);

}  // namespace

}  // namespace starling::io

BENCHMARK_MAIN();
