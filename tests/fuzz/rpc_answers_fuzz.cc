// Any body that an agent may answer an RPC client with, or that is no answer at all: it is refused,
// or what was read can be written and read again.
#include <cmath>
#include <string>

#include "agent/rpc_messages.h"
#include "tests/fuzz/fuzz.h"

namespace starling {
namespace {

using namespace agent;

void check_rpc_answers(Bytes input) {
  ResponseHeader header;
  if (decode_into(input, header)) {
    std::string again;
    append(again, header);
    ResponseHeader second;
    CHECK(decode_into(as_bytes(again), second));
    CHECK(second.error == header.error && second.sequence == header.sequence);
  }
  if (const auto record = decode_query_record(input)) {
    std::string again;
    append(again, *record);
    const auto second = decode_query_record(as_bytes(again));
    CHECK(second && second->from == record->from && second->payload == record->payload &&
          second->type == record->type);
  }
  if (const auto outcome = decode_key_outcome(input)) {
    std::string again;
    append(again, *outcome);
    const auto second = decode_key_outcome(as_bytes(again));
    CHECK(second && second->messages == outcome->messages &&
          second->keys.value_or(std::map<std::string, std::uint64_t>{}) ==
              outcome->keys.value_or(std::map<std::string, std::uint64_t>{}) &&
          second->num_err == outcome->num_err && second->num_nodes == outcome->num_nodes &&
          second->num_resp == outcome->num_resp);
  }
  if (const auto stats = decode_stats(input)) {
    std::string again;
    append_stats(again, *stats);
    const auto second = decode_stats(as_bytes(again));
    CHECK(second && *second == *stats);
  }
  if (const auto line = decode_log_record(input)) {
    std::string again;
    append_log_record(again, *line);
    const auto second = decode_log_record(as_bytes(again));
    CHECK(second && *second == *line);
  }
  if (const auto known = decode_coordinate(input); known && *known) {
    std::string again;
    append_coordinate(again, *known);
    const auto second = decode_coordinate(as_bytes(again));
    CHECK(second && second->has_value());
    const double before = (*known)->height, after = (*second)->height;
    CHECK(before == after || (std::isnan(before) && std::isnan(after)));
  }
  static_cast<void>(decode_join_count(input));
  static_cast<void>(decode_member(input));
}

}  // namespace
}  // namespace starling

FUZZ_TARGET(starling::check_rpc_answers)
