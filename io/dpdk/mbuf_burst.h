// Mbuf bursts: a lane's packets as DPDK's, for whoever runs Lane::poll() in a loop of their own.
//
//   n = rte_eth_rx_burst(port, queue, mbufs, 32);
//   for each: frame = parse_frame(frame_of(mbuf), local); frame.kind == datagram?
//             rx[held++] = received(mbuf, frame) : yours
//   lent += lend_mbufs(pool, tx.subspan(lent));
//   turn = lane.poll(now, rx.first(held), tx.first(lent));
//   for each of the first turn.filled: finish_datagram(tx[i], route) and rte_eth_tx_burst
//   for each of the first turn.taken: rte_pktmbuf_free(mbuf_of(rx[i].cookie))
//
// Header only: needs DPDK's headers and nothing of ours but the core. examples/dpdk_loop.cc is a
// whole program. Stateless; any thread that may use the pool.
#pragma once

#include <rte_mbuf.h>

#include <span>

#include "core/shard/packets.h"
#include "io/dpdk/headers.h"

namespace starling::io {

inline rte_mbuf* mbuf_of(std::uintptr_t cookie) {
  return reinterpret_cast<rte_mbuf*>(cookie);  // NOLINT: the cookie is ours
}
inline std::uintptr_t cookie_of(rte_mbuf* mbuf) {
  return reinterpret_cast<std::uintptr_t>(mbuf);
}

// The bytes of a received packet's first segment; gossip fits into one.
inline Bytes frame_of(const rte_mbuf* mbuf) {
  return {rte_pktmbuf_mtod(mbuf, const std::byte*), rte_pktmbuf_data_len(mbuf)};
}

// A parsed datagram as the lane takes it; the mbuf stays yours and must live until it was polled.
// The lane decrypts in place, so a packet that others may hold must be copied before.
inline RxPacket received(rte_mbuf* mbuf, const Frame& frame) {
  return {.from = frame.from, .bytes = frame.payload, .cookie = cookie_of(mbuf)};
}

// Fresh mbufs as blanks, as many as the pool gives at once: all or none of each 32. The room starts
// behind the mbuf's headroom, which must hold headers_bytes_max.
inline std::size_t lend_mbufs(rte_mempool* pool, std::span<TxPacket> blanks) {
  static_assert(RTE_PKTMBUF_HEADROOM >= headers_bytes_max);
  std::size_t lent = 0;
  while (lent < blanks.size()) {
    std::array<rte_mbuf*, 32> mbufs;
    const auto wanted = static_cast<unsigned>(std::min(mbufs.size(), blanks.size() - lent));
    if (rte_pktmbuf_alloc_bulk(pool, mbufs.data(), wanted) != 0) break;
    for (rte_mbuf* const mbuf : std::span(mbufs).first(wanted)) {
      blanks[lent++] = {.to = {},
                        .room = {rte_pktmbuf_mtod(mbuf, std::byte*), rte_pktmbuf_tailroom(mbuf)},
                        .bytes = 0,
                        .cookie = cookie_of(mbuf)};
    }
  }
  return lent;
}

// Puts the headers in front of a mbuf whose payload of `bytes` is written. With
// Checksums::hardware the mbuf says what is left to the device.
inline void finish_mbuf(rte_mbuf* mbuf, std::size_t bytes, const DatagramRoute& route,
                        Checksums checksums = Checksums::here) {
  const std::size_t headers = headers_bytes(route.destination);
  rte_pktmbuf_append(mbuf, static_cast<std::uint16_t>(bytes));
  auto* const start =
      reinterpret_cast<std::byte*>(rte_pktmbuf_prepend(mbuf, static_cast<std::uint16_t>(headers)));
  CHECK(start != nullptr);
  write_headers({start, headers + bytes}, route, checksums);
  if (checksums == Checksums::here) return;
  const bool ipv4 = route.destination.bytes().size() == 4;
  mbuf->l2_len = ethernet_bytes;
  mbuf->l3_len = ipv4 ? ipv4_bytes : ipv6_bytes;
  mbuf->ol_flags |= RTE_MBUF_F_TX_UDP_CKSUM |
                    (ipv4 ? RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM : RTE_MBUF_F_TX_IPV6);
}

// The same for a packet that the lane filled; ready for rte_eth_tx_burst(), which then owns it.
inline rte_mbuf* finish_datagram(const TxPacket& packet, const DatagramRoute& route,
                                 Checksums checksums = Checksums::here) {
  rte_mbuf* const mbuf = mbuf_of(packet.cookie);
  finish_mbuf(mbuf, packet.bytes, route, checksums);
  return mbuf;
}

}  // namespace starling::io
