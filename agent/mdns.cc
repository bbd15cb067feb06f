#include "agent/mdns.h"

#include <array>
#include <cerrno>

#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "agent/addresses.h"
#include "agent/go_text.h"
#include "io/address.h"
#include "io/errno_text.h"

namespace starling::agent {
namespace {

constexpr std::uint16_t mdns_port = 5353;
constexpr std::size_t packet_bytes_max = 9'000;
constexpr std::size_t packets_per_turn = 64;
// Of one question: answers that come later are not to it.
constexpr std::size_t entries_max = 4'096;

IpAddress group_of(int family) {
  if (family == AF_INET) return IpAddress::v4(224, 0, 0, 251);
  std::array<std::byte, 16> group{};
  group[0] = std::byte{0xff};
  group[1] = std::byte{0x02};
  group[15] = std::byte{0xfb};
  return IpAddress(Bytes(group));
}

io::SocketAddress group_address(int family, unsigned interface) {
  io::SocketAddress address;
  io::to_socket_address({group_of(family), mdns_port}, family, io::Zone{interface}, address);
  if (family == AF_INET6) {
    reinterpret_cast<sockaddr_in6*>(&address.storage)->sin6_scope_id = interface;
  }
  return address;
}

bool set(int socket, int level, int option, int value) {
  return setsockopt(socket, level, option, &value, sizeof value) == 0;
}

bool join_group(int socket, int family, unsigned interface) {
  if (family == AF_INET) {
    ip_mreqn request{};
    request.imr_multiaddr.s_addr = htonl(0xe0'00'00'fb);
    request.imr_ifindex = static_cast<int>(interface);
    return setsockopt(socket, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request) == 0;
  }
  ipv6_mreq request{};
  request.ipv6mr_multiaddr.s6_addr[0] = 0xff;
  request.ipv6mr_multiaddr.s6_addr[1] = 0x02;
  request.ipv6mr_multiaddr.s6_addr[15] = 0xfb;
  request.ipv6mr_interface = interface;
  return setsockopt(socket, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof request) == 0;
}

bool send_through(int socket, int family, unsigned interface) {
  if (interface == 0) return true;
  if (family == AF_INET6) {
    return set(socket, IPPROTO_IPV6, IPV6_MULTICAST_IF, static_cast<int>(interface));
  }
  ip_mreqn request{};
  request.imr_ifindex = static_cast<int>(interface);
  return setsockopt(socket, IPPROTO_IP, IP_MULTICAST_IF, &request, sizeof request) == 0;
}

}  // namespace

Mdns::Mdns(EventLoop& loop, Log& log, Join join, Options options)
    : loop_(loop),
      log_(log),
      join_(std::move(join)),
      options_(std::move(options)),
      rng_(options_.seed) {}

Mdns::~Mdns() {
  loop_.cancel(poll_timer_);
  loop_.cancel(quiet_timer_);
  for (const Wire& wire : wires_) {
    loop_.forget(wire.responder.descriptor());
    loop_.forget(wire.asker.descriptor());
  }
}

std::expected<std::unique_ptr<Mdns>, std::string> Mdns::start(EventLoop& loop, Log& log, Join join,
                                                              Options options) {
  unsigned interface = 0;
  if (!options.interface.empty()) {
    interface = if_nametoindex(options.interface.c_str());
    if (interface == 0) {
      return std::unexpected("Invalid network interface: " + options.interface);
    }
  }
  if (encode_mdns_answer(options.instance).empty()) {
    return std::unexpected("node name or cluster name is too long for DNS");
  }
  std::unique_ptr<Mdns> mdns(new Mdns(loop, log, std::move(join), std::move(options)));
  std::string problem;
  for (const int family : {AF_INET, AF_INET6}) {
    auto wire = mdns->open(family, interface);
    if (wire) {
      mdns->wires_.push_back(std::move(*wire));
    } else {
      problem = wire.error();
    }
  }
  if (mdns->wires_.empty()) return std::unexpected(problem);
  for (Wire& wire : mdns->wires_) mdns->watch(wire);
  mdns->ask();
  return mdns;
}

std::expected<Mdns::Wire, std::string> Mdns::open(int family, unsigned interface) {
  const auto failed = [](std::string_view what) {
    return std::unexpected(std::string(what) + ": " + io::errno_text(errno));
  };
  constexpr int kind = SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
  Wire wire{.family = family,
            .responder = io::File(socket(family, kind, 0)),
            .asker = io::File(socket(family, kind, 0))};
  const int responder = wire.responder.descriptor();
  if (!wire.responder.open() || !wire.asker.open()) return failed("socket");
  // Others on this host listen on the same port.
  if (!set(responder, SOL_SOCKET, SO_REUSEADDR, 1)) return failed("SO_REUSEADDR");
  if (family == AF_INET6 && !set(responder, IPPROTO_IPV6, IPV6_V6ONLY, 1)) {
    return failed("IPV6_V6ONLY");
  }
  const io::SocketAddress group = group_address(family, interface);
  if (bind(responder, group.get(), group.bytes) != 0) return failed("bind to the mDNS group");
  if (!join_group(responder, family, interface)) return failed("join the mDNS group");
  if (!send_through(wire.asker.descriptor(), family, interface))
    return failed("multicast interface");
  return wire;
}

void Mdns::watch(Wire& wire) {
  for (const bool asked : {false, true}) {
    const io::File& socket = asked ? wire.asker : wire.responder;
    loop_.watch(socket.descriptor(), POLLIN,
                [this, &socket, asked](short) { on_packets(socket, asked); });
  }
}

void Mdns::on_packets(const io::File& socket, bool asked) {
  std::array<std::byte, packet_bytes_max> room;
  for (std::size_t i = 0; i < packets_per_turn; ++i) {
    io::SocketAddress from;
    from.bytes = sizeof from.storage;
    const ssize_t count =
        recvfrom(socket.descriptor(), room.data(), room.size(), 0, from.get(), &from.bytes);
    if (count < 0) return;
    const Bytes packet = Bytes(room).first(static_cast<std::size_t>(count));
    const std::optional<MdnsMessage> message = decode_mdns(packet);
    if (!message) continue;
    if (message->response) {
      take(*message);
      continue;
    }
    if (asked) continue;
    for (const MdnsQuestion& question : message->questions) {
      const bool wanted = question.type == DnsType::ptr || question.type == DnsType::any;
      if (!wanted || question.name != to_lower(options_.instance.service)) continue;
      const std::vector<std::byte> answer = encode_mdns_answer(options_.instance);
      // From a port of our own, as a question's answer that goes to its asker alone.
      const auto* const to = from.get();
      for (const Wire& wire : wires_) {
        if (wire.family != to->sa_family) continue;
        sendto(wire.responder.descriptor(), answer.data(), answer.size(), MSG_NOSIGNAL, to,
               from.bytes);
      }
      break;
    }
  }
}

void Mdns::ask() {
  poll_timer_ = loop_.after(options_.poll_interval, [this] { ask(); });
  entries_.clear();
  const auto id = static_cast<std::uint16_t>(rng_.below(65'536));
  const std::vector<std::byte> query = encode_mdns_query(id, options_.instance.service);
  bool sent = false;
  const unsigned interface =
      options_.interface.empty() ? 0 : if_nametoindex(options_.interface.c_str());
  for (const Wire& wire : wires_) {
    if (!(wire.family == AF_INET ? options_.ipv4 : options_.ipv6)) continue;
    const io::SocketAddress group = group_address(wire.family, interface);
    sent |= sendto(wire.asker.descriptor(), query.data(), query.size(), MSG_NOSIGNAL, group.get(),
                   group.bytes) >= 0;
  }
  if (!sent) log_.err("agent.mdns: Failed to poll for new hosts: {}", io::errno_text(errno));
}

void Mdns::take(const MdnsMessage& message) {
  const std::string service = to_lower(options_.instance.service);
  for (const MdnsRecord& record : message.records) {
    if (record.type == DnsType::ptr && record.name == service && entries_.size() < entries_max) {
      entries_.try_emplace(record.target);
    }
  }
  for (const MdnsRecord& record : message.records) {
    const bool address = record.type == DnsType::a || record.type == DnsType::aaaa;
    if (address) {
      // Agents of one machine share its name: the address is that of the entries of this message.
      for (const MdnsRecord& other : message.records) {
        if (other.type != DnsType::srv || other.target != record.name) continue;
        const auto entry = entries_.find(other.name);
        if (entry != entries_.end()) entry->second.address = record.address;
      }
      continue;
    }
    const auto entry = entries_.find(record.name);
    if (entry == entries_.end()) continue;
    if (record.type == DnsType::srv) entry->second.port = record.port;
    if (record.type == DnsType::txt) entry->second.text = true;
  }
  for (const auto& [name, entry] : entries_) {
    if (entry.port == 0 || !entry.text || entry.address.empty()) continue;
    std::string place = format_endpoint({entry.address, entry.port});
    if (seen_.size() >= places_max || !seen_.insert(place).second) continue;
    to_join_.push_back(std::move(place));
    loop_.cancel(quiet_timer_);
    quiet_timer_ = loop_.after(options_.quiet_interval, [this] { quiet(); });
  }
}

void Mdns::quiet() {
  quiet_timer_ = 0;
  join_(std::exchange(to_join_, {}));
}

}  // namespace starling::agent
