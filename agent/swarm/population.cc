#include "agent/swarm/population.h"

#include "wire/base/check.h"

namespace starling::agent::swarm {
namespace {

constexpr std::byte net{77};
// Addresses in one /24: .1 to .250, to keep clear of both ends.
constexpr std::uint32_t hosts = 250;
constexpr std::uint16_t port = 7'946;

}  // namespace

MemberName::MemberName(std::uint32_t number) {
  CHECK(number < numbers_end);
  text_[0] = 'm';
  for (std::size_t at = name_bytes; at-- > 1; number /= 10) {
    text_[at] = static_cast<char>('0' + number % 10);
  }
}

std::optional<std::uint32_t> number_from_name(std::string_view name) {
  if (name.size() != MemberName::name_bytes || name[0] != 'm') return std::nullopt;
  std::uint32_t number = 0;
  for (const char digit : name.substr(1)) {
    if (digit < '0' || digit > '9') return std::nullopt;
    number = number * 10 + static_cast<std::uint32_t>(digit - '0');
  }
  return number;
}

Endpoint engine_endpoint(std::uint32_t index) {
  CHECK(index < engines_limit);
  return {
      IpAddress::v4(127, static_cast<std::uint8_t>(net), static_cast<std::uint8_t>(index / hosts),
                    static_cast<std::uint8_t>(index % hosts + 1)),
      port};
}

std::optional<std::uint32_t> engine_at(const Endpoint& endpoint) {
  const Bytes raw = endpoint.address.bytes();
  if (raw.size() != 4 || raw[0] != std::byte{127} || raw[1] != net) return std::nullopt;
  const auto host = static_cast<std::uint32_t>(raw[3]);
  if (host < 1 || host > hosts) return std::nullopt;
  const std::uint32_t index = static_cast<std::uint32_t>(raw[2]) * hosts + host - 1;
  if (index >= engines_limit) return std::nullopt;
  return index;
}

Population::Population(std::uint32_t members, std::uint32_t engines)
    : members_(members), engines_(engines), excused_(members) {
  CHECK(engines > 0 && members >= engines && members <= MemberName::numbers_end);
}

std::uint32_t Population::engine_of(std::uint32_t member) const {
  CHECK(member < members_);
  // The division rounds, so the guess may be one too low.
  auto engine = static_cast<std::uint32_t>(std::uint64_t{member} * engines_ / members_);
  while (first_of(engine + 1) <= member) ++engine;
  return engine;
}

}  // namespace starling::agent::swarm
