#include "io/dpdk/mbuf_burst.h"

#include "tests/io/dpdk/ring_pair.h"

namespace starling::io {

namespace {

const IpAddress a = IpAddress::v4(10, 0, 0, 1), b = IpAddress::v4(10, 0, 0, 2);

TEST(MbufBurst, LendsFillsAndReadsBack) {
  NEED_EAL();
  rte_mempool* const pool = rte_pktmbuf_pool_create("burst", 63, 0, 0, 2176, SOCKET_ID_ANY);
  ASSERT_NE(pool, nullptr);
  std::array<TxPacket, 100> blanks;
  // All or none of each 32.
  ASSERT_EQ(lend_mbufs(pool, blanks), 32U);
  EXPECT_GE(blanks[0].room.size(), 2048U);
  const std::string_view text = "ping";
  for (const Checksums checksums : {Checksums::here, Checksums::hardware}) {
    TxPacket& blank = blanks[checksums == Checksums::here ? 0 : 1];
    std::memcpy(blank.room.data(), text.data(), text.size());
    blank.bytes = static_cast<std::uint32_t>(text.size());
    rte_mbuf* const mbuf = finish_datagram(
        blank, {.source = a, .destination = b, .source_port = 1, .destination_port = 2}, checksums);
    EXPECT_EQ(rte_pktmbuf_pkt_len(mbuf), 42U + text.size());
    EXPECT_EQ((mbuf->ol_flags & RTE_MBUF_F_TX_UDP_CKSUM) != 0, checksums == Checksums::hardware);
    if (checksums == Checksums::hardware) continue;  // its header is not yet complete
    const Frame frame = parse_frame(frame_of(mbuf), LocalAddress::from({}, {b, 2}));
    ASSERT_EQ(frame.kind, FrameKind::datagram);
    const RxPacket packet = received(mbuf, frame);
    EXPECT_EQ(as_text(packet.bytes), text);
    EXPECT_EQ(packet.from, (Endpoint{a, 1}));
    EXPECT_EQ(mbuf_of(packet.cookie), mbuf);
  }
  for (const TxPacket& blank : std::span(blanks).first(32)) rte_pktmbuf_free(mbuf_of(blank.cookie));
  EXPECT_EQ(rte_mempool_avail_count(pool), 63U);
  rte_mempool_free(pool);
}

}  // namespace

}  // namespace starling::io
