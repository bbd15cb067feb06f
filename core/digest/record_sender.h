// RecordSender: packs records into datagrams and sends each when it is full.
//
// For one burst to one peer, on somebody's stack. Whoever sends the last of a burst says so with
// finish(). Nothing may be sent between two records of a datagram by other means: order is kept.
#pragma once

#include "core/digest/record_source.h"
#include "wire/sync.h"
#include "wire/sync_records.h"

namespace starling {

// Counts what goes out. One for each burst.
struct SyncTraffic {
  std::uint32_t messages = 0;
  std::uint64_t bytes = 0;
};

// Sends messages to one peer and counts them.
class SyncOutbox {
 public:
  SyncOutbox(RecordSource& source, const Endpoint& to, std::size_t room)
      : source_(source), to_(to), room_(std::min(room, sync_message_bytes_max)) {}

  // A blank message of the permitted length.
  Writer blank() { return Writer(MutableBytes(buffer_).first(room_)); }
  // Sends what was written into a blank.
  void send(Bytes message) {
    ++traffic_.messages;
    traffic_.bytes += message.size();
    source_.send(to_, message);
  }
  template <class Message>
  void send(const SyncHeader& header, const Message& message) {
    Writer out = blank();
    encode(header, message, out);
    CHECK(out.ok());
    send(out.written());
  }

  RecordSource& source() { return source_; }
  const Endpoint& to() const { return to_; }
  std::size_t room() const { return room_; }
  const SyncTraffic& traffic() const { return traffic_; }

 private:
  RecordSource& source_;
  Endpoint to_;
  std::size_t room_;
  SyncTraffic traffic_;
  std::array<std::byte, sync_message_bytes_max> buffer_;
};

class RecordSender {
 public:
  // `flags`: of every datagram; flag_last is for finish().
  RecordSender(SyncOutbox& out, const SyncHeader& header, std::uint8_t flags)
      : out_(out),
        header_(header),
        flags_(flags),
        writer_(MutableBytes(buffer_).first(out.room())) {
    begin();
  }

  void add(const MemberRecord& record);
  // Sends what is left. With `last`, some datagram is sent in any case, and says that it is the
  // last.
  void finish(bool last);
  // Datagrams sent so far.
  std::uint32_t sent() const { return sent_; }

 private:
  void begin();
  void flush();

  SyncOutbox& out_;
  SyncHeader header_;
  std::uint8_t flags_;
  std::uint32_t sent_ = 0;
  std::array<std::byte, sync_message_bytes_max> buffer_;
  Writer writer_;
  std::optional<SyncRecordWriter> records_;
};

// Sends the rows that are here and have these symbols, which must be sorted, and all of which the
// caller bounds. Symbols that no row has (any more) are passed over. Walks each bucket once.
void send_records_of(std::span<const Symbol> symbols, RecordSource& source, RecordSender& sender);

// Applies the records of one message whose rows are here and, unless they were replies themselves,
// answers those about members of whom more is known. `on_name` is told of each name.
template <class OnName>
void apply_records(const SyncRecords& message, const SyncHeader& reply_header, SyncOutbox& out,
                   OnName on_name);

// Whether what is held here should be told to whoever sent `received`.
bool knows_more(const MemberRecord& held, const MemberRecord& received);

template <class OnName>
void apply_records(const SyncRecords& message, const SyncHeader& reply_header, SyncOutbox& out,
                   OnName on_name) {
  RecordSender replies(out, reply_header, SyncRecords::flag_reply);
  SyncRecordReader records(message.records);
  RecordSource& source = out.source();
  for (SyncRecord wire; records.next(wire);) {
    const MemberRecord record = from_wire(wire);
    on_name(record.hash);
    if (!source.owns(record.hash)) continue;
    source.apply(record, out.to());
    if (message.reply()) continue;
    const std::optional<MemberRecord> held = source.find(record.hash, record.name);
    if (held && knows_more(*held, record)) replies.add(*held);
  }
  replies.finish(false);
}

}  // namespace starling
