// Any message between nodes of this kind: what was read encodes and reads the same; records never
// lead outside the datagram, and packed again they read the same.
#include <string>
#include <vector>

#include "tests/fuzz/fuzz.h"
#include "wire/sync.h"
#include "wire/sync_records.h"

namespace starling {
namespace {

using ByteVector = std::vector<std::byte>;

struct Row {
  std::string name, meta;
  Incarnation incarnation{};
  MemberState state{};
  Endpoint endpoint;
  Versions versions;
  LamportTime status_time{};
  bool operator==(const Row&) const = default;
};

std::vector<Row> unpack(Bytes records) {
  std::vector<Row> rows;
  SyncRecordReader reader(records);
  for (SyncRecord record; reader.next(record);) {
    CHECK(!record.name.empty() && record.name.size() <= sync_name_bytes_max);
    CHECK(record.meta.size() <= sync_meta_bytes_max);
    rows.push_back({std::string(record.name), std::string(as_text(record.meta)), record.incarnation,
                    record.state, record.endpoint, record.versions, record.status_time});
  }
  return rows;
}

void check_records(Bytes records) {
  const std::vector<Row> rows = unpack(records);
  ByteVector room(rows.size() * sync_record_bytes_max);
  Writer out(room);
  SyncRecordWriter writer(out);
  for (const Row& row : rows) {
    CHECK(writer.add({row.name, row.incarnation, row.state, row.endpoint, row.versions,
                      as_bytes(row.meta), row.status_time}));
  }
  CHECK(unpack(out.written()) == rows);
}

void check_sync(Bytes input) {
  const auto message = decode_sync(input);
  if (!message) {
    CHECK(message.error().offset <= input.size());
    check_records(input);
    return;
  }
  ByteVector room(input.size() + 1);
  Writer out(room);
  std::visit([&](const auto& body) { encode(message->header, body, out); }, message->body);
  CHECK(out.ok());
  // The fixed parts may have had bytes after them, which are dropped.
  CHECK(equal(out.written().subspan(1), input.first(out.size() - 1)));
  CHECK(decode_sync(out.written().subspan(1)).has_value());
  if (const auto* const records = std::get_if<SyncRecords>(&message->body)) {
    check_records(records->records);
  }
  if (const auto* const differing = std::get_if<SyncDiffering>(&message->body)) {
    for (std::size_t i = 0; i < differing->buckets; ++i) static_cast<void>(differing->differs(i));
    for (std::size_t i = 0; i < differing->cells.size(); ++i) {
      static_cast<void>(differing->cells[i]);
    }
  }
}

}  // namespace
}  // namespace starling

FUZZ_TARGET(starling::check_sync)
