#include "core/swim/admission.h"

#include <arpa/inet.h>

#include <charconv>

namespace starling {
namespace {

// ::ffff:a.b.c.d, an IPv4 address inside IPv6.
bool is_mapped(Bytes address) {
  if (address.size() != 16) return false;
  for (std::size_t i = 0; i < 10; ++i) {
    if (address[i] != std::byte{0}) return false;
  }
  return address[10] == std::byte{0xff} && address[11] == std::byte{0xff};
}

IpAddress unmapped(const IpAddress& address) {
  return is_mapped(address.bytes()) ? IpAddress(address.bytes().last(4)) : address;
}

// The bits of byte number `index` that belong to a prefix of `bits`.
std::byte prefix_mask(std::size_t index, std::uint32_t bits) {
  if (bits >= (index + 1) * 8) return std::byte{0xff};
  if (bits <= index * 8) return std::byte{0};
  return static_cast<std::byte>((0xff00u >> (bits - index * 8)) & 0xff);
}

}  // namespace

bool AllowList::add(std::string_view cidr) {
  if (count_ == networks_max) return false;
  const std::optional<Network> network = parse(cidr);
  if (!network) return false;
  networks_[count_++] = *network;
  return true;
}

bool AllowList::allows(const IpAddress& address) const {
  if (empty()) return true;
  const IpAddress plain = unmapped(address);
  for (std::size_t i = 0; i < count_; ++i) {
    if (contains(networks_[i], plain)) return true;
  }
  return false;
}

std::optional<AllowList::Network> AllowList::parse(std::string_view cidr) {
  const std::size_t slash = cidr.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view bits_text = cidr.substr(slash + 1);
  std::uint8_t bits = 0;
  const auto [end, fault] =
      std::from_chars(bits_text.data(), bits_text.data() + bits_text.size(), bits);
  if (fault != std::errc{} || end != bits_text.data() + bits_text.size()) return std::nullopt;

  std::array<char, INET6_ADDRSTRLEN + 1> text{};
  if (slash >= text.size() || cidr.find('\0') != std::string_view::npos) return std::nullopt;
  std::copy_n(cidr.begin(), slash, text.begin());
  std::array<std::byte, 16> raw{};
  const bool is_v6 = cidr.substr(0, slash).find(':') != std::string_view::npos;
  const std::size_t size = is_v6 ? 16 : 4;
  if (inet_pton(is_v6 ? AF_INET6 : AF_INET, text.data(), raw.data()) != 1) return std::nullopt;
  if (bits > size * 8) return std::nullopt;

  for (std::size_t i = 0; i < size; ++i) raw[i] &= prefix_mask(i, bits);
  const IpAddress base(Bytes(raw).first(size));
  // A prefix that covers the mapping itself names an IPv4 network.
  if (is_mapped(base.bytes())) {
    return Network{.base = unmapped(base), .bits = static_cast<std::uint8_t>(bits - 96)};
  }
  return Network{.base = base, .bits = bits};
}

bool AllowList::contains(const Network& network, const IpAddress& address) {
  const Bytes base = network.base.bytes();
  const Bytes bytes = address.bytes();
  if (bytes.size() != base.size()) return false;
  for (std::size_t i = 0; i < base.size(); ++i) {
    if ((bytes[i] & prefix_mask(i, network.bits)) != base[i]) return false;
  }
  return true;
}

}  // namespace starling
