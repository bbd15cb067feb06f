#include "io/dpdk/rtnetlink.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

#include "io/address.h"
#include "io/errno_text.h"

namespace starling::io {

namespace {

constexpr std::uint16_t discard_port = 9;
constexpr std::size_t header_bytes = sizeof(nlmsghdr);

template <class Part>
Part read_part(Bytes bytes, std::size_t at) {
  Part part;
  std::memcpy(&part, bytes.data() + at, sizeof part);
  return part;
}

// A request: header, one fixed part, attributes.
class Request {
 public:
  Request(MutableBytes room, std::uint16_t type, std::uint32_t sequence) : room_(room) {
    header_.nlmsg_type = type;
    header_.nlmsg_flags = NLM_F_REQUEST;
    header_.nlmsg_seq = sequence;
    at_ = header_bytes;
  }
  template <class Part>
  void fixed(const Part& part) {
    put_bytes(room_, at_, std::as_bytes(std::span(&part, 1)));
    at_ += NLMSG_ALIGN(sizeof part);
  }
  void attribute(std::uint16_t type, Bytes value) {
    rtattr attribute{};
    attribute.rta_type = type;
    attribute.rta_len = static_cast<std::uint16_t>(sizeof attribute + value.size());
    put_bytes(room_, at_, std::as_bytes(std::span(&attribute, 1)));
    put_bytes(room_, at_ + sizeof attribute, value);
    at_ += RTA_ALIGN(attribute.rta_len);
  }
  std::size_t finish() {
    header_.nlmsg_len = static_cast<std::uint32_t>(at_);
    put_bytes(room_, 0, std::as_bytes(std::span(&header_, 1)));
    return at_;
  }

 private:
  MutableBytes room_;
  nlmsghdr header_{};
  std::size_t at_ = 0;
};

// The body of the answer to `sequence` if it has this type; empty otherwise.
Bytes body_of(Bytes answer, std::uint16_t type, std::uint32_t sequence, std::size_t fixed_bytes) {
  if (answer.size() < header_bytes) return {};
  const auto header = read_part<nlmsghdr>(answer, 0);
  if (header.nlmsg_len > answer.size() || header.nlmsg_len < header_bytes + fixed_bytes) return {};
  if (header.nlmsg_type != type || header.nlmsg_seq != sequence) return {};
  return answer.first(header.nlmsg_len).subspan(header_bytes);
}

template <class OnAttribute>
void for_each_attribute(Bytes bytes, OnAttribute&& on_attribute) {
  while (bytes.size() >= sizeof(rtattr)) {
    const auto attribute = read_part<rtattr>(bytes, 0);
    if (attribute.rta_len < sizeof attribute || attribute.rta_len > bytes.size()) return;
    on_attribute(attribute.rta_type, bytes.first(attribute.rta_len).subspan(sizeof attribute));
    bytes = bytes.subspan(std::min<std::size_t>(RTA_ALIGN(attribute.rta_len), bytes.size()));
  }
}

File datagram_socket(int family) {
  return File(::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

}  // namespace

std::size_t write_route_request(MutableBytes room, std::uint32_t sequence,
                                const IpAddress& destination) {
  Request request(room, RTM_GETROUTE, sequence);
  rtmsg fixed{};
  fixed.rtm_family = static_cast<unsigned char>(family_of(destination));
  fixed.rtm_dst_len = static_cast<unsigned char>(destination.bytes().size() * 8);
  request.fixed(fixed);
  request.attribute(RTA_DST, destination.bytes());
  return request.finish();
}

std::size_t write_neighbour_request(MutableBytes room, std::uint32_t sequence,
                                    InterfaceIndex interface, const IpAddress& address) {
  Request request(room, RTM_GETNEIGH, sequence);
  ndmsg fixed{};
  fixed.ndm_family = static_cast<unsigned char>(family_of(address));
  fixed.ndm_ifindex = static_cast<int>(interface);
  request.fixed(fixed);
  request.attribute(NDA_DST, address.bytes());
  return request.finish();
}

std::optional<KernelRoute> parse_route(Bytes answer, std::uint32_t sequence,
                                       const IpAddress& destination) {
  const Bytes body = body_of(answer, RTM_NEWROUTE, sequence, sizeof(rtmsg));
  if (body.empty() || read_part<rtmsg>(body, 0).rtm_type != RTN_UNICAST) return std::nullopt;
  const std::size_t address_bytes = destination.bytes().size();
  KernelRoute route{.next_hop = destination, .source = {}};
  for_each_attribute(body.subspan(NLMSG_ALIGN(sizeof(rtmsg))), [&](unsigned type, Bytes value) {
    if (type == RTA_OIF && value.size() == sizeof(std::uint32_t)) {
      route.interface = InterfaceIndex{read_part<std::uint32_t>(value, 0)};
    }
    if (value.size() != address_bytes) return;
    if (type == RTA_GATEWAY) route.next_hop = IpAddress(value);
    if (type == RTA_PREFSRC) route.source = IpAddress(value);
  });
  if (route.interface == InterfaceIndex::none) return std::nullopt;
  return route;
}

std::optional<KernelNeighbour> parse_neighbour(Bytes answer, std::uint32_t sequence) {
  const Bytes body = body_of(answer, RTM_NEWNEIGH, sequence, sizeof(ndmsg));
  if (body.empty()) return std::nullopt;
  const auto state = read_part<ndmsg>(body, 0).ndm_state;
  constexpr unsigned usable =
      NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP;
  if ((state & usable) == 0) return std::nullopt;
  std::optional<KernelNeighbour> neighbour;
  for_each_attribute(body.subspan(NLMSG_ALIGN(sizeof(ndmsg))), [&](unsigned type, Bytes value) {
    if (type != NDA_LLADDR || value.size() != 6) return;
    neighbour = {.mac = mac_at(value, 0), .fresh = (state & NUD_STALE) == 0};
  });
  return neighbour;
}

std::expected<Rtnetlink, std::string> Rtnetlink::open() {
  File netlink(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  File ipv4 = datagram_socket(AF_INET);
  if (!netlink.open() || !ipv4.open()) {
    return std::unexpected("open rtnetlink: " + errno_text(errno));
  }
  // A system without IPv6 has no such socket and needs none.
  return Rtnetlink(std::move(netlink), std::move(ipv4), datagram_socket(AF_INET6));
}

Bytes Rtnetlink::ask(Bytes request) {
  if (::send(netlink_.descriptor(), request.data(), request.size(), MSG_DONTWAIT) < 0) return {};
  // Older answers, to questions whose answer was not waited for, may stand before it.
  constexpr int answers_max = 8;
  for (int i = 0; i < answers_max; ++i) {
    const ssize_t got = ::recv(netlink_.descriptor(), room_.data(), room_.size(), MSG_DONTWAIT);
    if (got < static_cast<ssize_t>(header_bytes)) return {};
    if (read_part<nlmsghdr>(room_, 0).nlmsg_seq == sequence_) {
      return Bytes(room_).first(static_cast<std::size_t>(got));
    }
  }
  return {};
}

std::optional<KernelRoute> Rtnetlink::route(const IpAddress& destination) {
  std::array<std::byte, netlink_request_bytes_max> room{};
  const std::size_t bytes = write_route_request(room, ++sequence_, destination);
  return parse_route(ask(Bytes(room).first(bytes)), sequence_, destination);
}

std::optional<KernelNeighbour> Rtnetlink::neighbour(InterfaceIndex interface,
                                                    const IpAddress& address) {
  std::array<std::byte, netlink_request_bytes_max> room{};
  const std::size_t bytes = write_neighbour_request(room, ++sequence_, interface, address);
  return parse_neighbour(ask(Bytes(room).first(bytes)), sequence_);
}

void Rtnetlink::provoke(const IpAddress& address, InterfaceIndex interface) {
  const int family = family_of(address);
  const File& socket = family == AF_INET ? ipv4_ : ipv6_;
  SocketAddress to;
  const Zone zone{static_cast<std::uint32_t>(interface)};
  if (!to_socket_address({address, discard_port}, family, zone, to)) return;
  [[maybe_unused]] const ssize_t sent =
      ::sendto(socket.descriptor(), nullptr, 0, MSG_DONTWAIT, to.get(), to.bytes);
}

}  // namespace starling::io
