// Multicast DNS messages, as far as finding members needs them. protocol/serf section 16.5.
//
// What is sent is what hashicorp/mdns sends, to the byte; of what is received only the records that
// say where an instance is are kept. Pure functions. Bounds: names of 255 bytes, records_max
// records; compression pointers lead backwards only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/base/types.h"

namespace starling::agent {

enum class DnsType : std::uint16_t { a = 1, ptr = 12, txt = 16, aaaa = 28, srv = 33, any = 255 };

struct MdnsQuestion {
  std::string name;  // labels with dots, without the last one; lower case
  DnsType type{};
};
struct MdnsRecord {
  std::string name;
  DnsType type{};
  std::string target;      // PTR, SRV: a name
  std::uint16_t port = 0;  // SRV
  IpAddress address;       // A, AAAA
  std::string text;        // TXT: its strings, with | between them
};
struct MdnsMessage {
  static constexpr std::size_t records_max = 256;  // questions and records each
  std::uint16_t id = 0;
  bool response = false;
  std::vector<MdnsQuestion> questions;
  std::vector<MdnsRecord> records;  // of these five types; answers and additional ones
};
// nullopt: malformed, or more than the bounds.
std::optional<MdnsMessage> decode_mdns(Bytes packet);

// "_serf_NAME._tcp.local".
std::string mdns_service(std::string_view cluster);

// One question for who offers the service.
std::vector<std::byte> encode_mdns_query(std::uint16_t id, std::string_view service);

struct MdnsInstance {
  std::string service;
  std::string instance;  // the member's name
  std::string host;      // of the machine
  IpAddress address;
  std::uint16_t port = 0;
  std::string text;  // 255 bytes at most
};
// What answers it. Empty when a name is too long for DNS.
std::vector<std::byte> encode_mdns_answer(const MdnsInstance& instance);

}  // namespace starling::agent
