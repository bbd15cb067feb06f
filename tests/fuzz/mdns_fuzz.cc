// Any datagram on the mDNS port: refused, or within the bounds; what is written of an instance that
// was read can be read again.
#include "agent/mdns_message.h"
#include "tests/fuzz/fuzz.h"

namespace starling {
namespace {

void check_mdns(Bytes input) {
  const auto message = agent::decode_mdns(input);
  if (!message) return;
  CHECK(message->questions.size() <= agent::MdnsMessage::records_max);
  CHECK(message->records.size() <= agent::MdnsMessage::records_max);
  for (const agent::MdnsRecord& record : message->records) {
    CHECK(record.name.size() <= 255 && record.target.size() <= 255);
    const std::vector<std::byte> answer =
        agent::encode_mdns_answer({.service = "_serf_x._tcp.local",
                                   .instance = record.target,
                                   .host = "host",
                                   .address = IpAddress::v4(1, 2, 3, 4),
                                   .port = record.port,
                                   .text = record.text});
    if (answer.empty()) continue;
    const auto again = agent::decode_mdns(answer);
    CHECK(again && again->records.size() == 4 && again->records[1].port == record.port);
  }
}

}  // namespace
}  // namespace starling

FUZZ_TARGET(starling::check_mdns)
