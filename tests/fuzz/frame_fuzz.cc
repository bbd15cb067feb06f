// Frames off the wire and answers of rtnetlink: what the DPDK port reads.
#include "io/dpdk/discovery.h"
#include "io/dpdk/rtnetlink.h"
#include "tests/fuzz/fuzz.h"

namespace starling::fuzz {

namespace {

constexpr io::MacAddress mac{{std::byte{2}, {}, {}, {}, {}, std::byte{2}}};

IpAddress v6(std::uint8_t last) {
  std::array<std::byte, 16> raw{};
  raw[0] = std::byte{0xfd};
  raw[15] = std::byte{last};
  return IpAddress(raw);
}

void check_datagram(Bytes input, const io::LocalAddress& local) {
  const io::Frame frame = io::parse_frame(input, local);
  if (frame.kind != io::FrameKind::datagram) return;
  CHECK(frame.offset + frame.payload.size() <= input.size());
  CHECK(frame.payload.empty() || frame.payload.data() == input.data() + frame.offset);
  // What we build from what was read is read as the same.
  std::array<std::byte, 4096> room;
  const IpAddress& from = frame.from.address;
  const std::size_t headers = io::headers_bytes(from);
  const IpAddress own = from.bytes().size() == 4 ? IpAddress::v4(10, 0, 0, 2) : v6(2);
  if (headers + frame.payload.size() > room.size()) return;
  const MutableBytes built = MutableBytes(room).first(headers + frame.payload.size());
  io::put_bytes(built, headers, frame.payload);
  io::write_headers(built,
                    {.source_mac = mac,
                     .destination_mac = mac,
                     .source = own,
                     .destination = from,
                     .source_port = 7946,
                     .destination_port = frame.from.port},
                    io::Checksums::here);
  const io::Frame again = io::parse_frame(built, io::LocalAddress::from(mac, frame.from));
  CHECK(again.kind == io::FrameKind::datagram);
  CHECK(equal(again.payload, frame.payload));
}

void check_discovery(Bytes input, const IpAddress& own) {
  const auto found = io::read_discovery(input, {own, mac});
  if (!found || !found->asks_for_us) return;
  CHECK(found->sender.has_value());
  if (found->sender->address.bytes().size() != own.bytes().size()) return;
  std::array<std::byte, io::discovery_bytes_max> room;
  const std::size_t bytes = io::write_answer(room, {own, mac}, *found->sender);
  const auto answer = io::read_discovery(Bytes(room).first(bytes), *found->sender);
  CHECK(answer && answer->sender && answer->sender->address == own);
}

void check_frame(Bytes input) {
  const IpAddress v4_own = IpAddress::v4(10, 0, 0, 2);
  for (const IpAddress& own : {v4_own, v6(2), IpAddress()}) {
    check_datagram(input, io::LocalAddress::from(mac, {own, 7946}));
  }
  check_discovery(input, v4_own);
  check_discovery(input, v6(2));
  if (const auto route = io::parse_route(input, 5, IpAddress::v4(192, 0, 2, 7))) {
    CHECK(route->interface != io::InterfaceIndex::none && !route->next_hop.empty());
  }
  io::parse_neighbour(input, 5);
}

}  // namespace

}  // namespace starling::fuzz

FUZZ_TARGET(starling::fuzz::check_frame)
