#include "core/digest/record_sender.h"

namespace starling {

void RecordSender::begin() {
  writer_.rewind(0);
  encode(header_, SyncRecords{.flags = flags_}, writer_);
  records_.emplace(writer_);
}

void RecordSender::flush() {
  out_.send(writer_.written());
  ++sent_;
}

void RecordSender::add(const MemberRecord& record) {
  const SyncRecord wire = to_wire(record);
  if (records_->add(wire)) return;
  flush();
  begin();
  // The room of an empty message is enough for every record: sync_room_min.
  CHECK(records_->add(wire));
}

void RecordSender::finish(bool last) {
  if (records_->count() == 0 && !last) return;
  if (last) {
    buffer_[sync_flags_offset] |= std::byte{SyncRecords::flag_last};
  }
  flush();
  begin();
}

void send_records_of(std::span<const Symbol> symbols, RecordSource& source, RecordSender& sender) {
  const DigestKey& key = source.digest().key();
  while (!symbols.empty()) {
    const Bucket bucket = bucket_of(symbols.front());
    std::size_t count = 1;
    while (count < symbols.size() && bucket_of(symbols[count]) == bucket) ++count;
    const std::span<const Symbol> wanted = symbols.first(count);
    symbols = symbols.subspan(count);
    std::size_t left = count;
    auto visit = [&](const MemberRecord& record) {
      // The name's part of a symbol costs no hash of the row.
      const auto name = static_cast<std::uint32_t>(to_number(record.hash) >> 40);
      for (const Symbol symbol : wanted) {
        if (name_part(symbol) != name || mark_of(key, record).symbol != symbol) continue;
        sender.add(record);
        return --left > 0;
      }
      return true;
    };
    source.for_each_in_buckets(bucket, 1, RecordVisitor(visit));
  }
}

bool knows_more(const MemberRecord& held, const MemberRecord& received) {
  if (held.incarnation != received.incarnation) return held.incarnation > received.incarnation;
  if (is_digested(received.state) && !is_digested(held.state)) return true;
  return held.status_time > received.status_time;
}

}  // namespace starling
