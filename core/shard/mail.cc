#include "core/shard/mail.h"

#include <type_traits>

#include "core/shard/record.h"

namespace starling {

namespace {

// What does not vary in length. The variable parts follow in this order: name, bytes.
struct MailHeader {
  MailKind kind;
  bool flag;
  HostedId hosted;
  SequenceNumber sequence;
  std::uint64_t number, token;
  Endpoint endpoint;
  Instant due;
  std::uint32_t name_bytes;
};
static_assert(std::is_trivially_copyable_v<MailHeader>);

// Before each message of a bundle.
struct ParcelHeader {
  NameHash subject;
  std::uint32_t bytes;
};

// Facts from the network leave this part of a ring free; the rest must get through.
constexpr bool from_the_network(MailKind kind) {
  return kind == MailKind::bundle || kind == MailKind::merged || kind == MailKind::gossip ||
         kind == MailKind::relay_wanted || kind == MailKind::left_listed ||
         kind == MailKind::status_listed || kind == MailKind::measured ||
         kind == MailKind::answer_relays || kind == MailKind::sync_part ||
         kind == MailKind::sync_unseen;
}
constexpr std::size_t reserved_share = 8;

// Rings nobody uses are smaller than any that is.
constexpr std::size_t smallest_ring_bytes = 64;
std::size_t ring_bytes_of(std::size_t from, std::size_t to, std::size_t ring_bytes) {
  return from == to ? smallest_ring_bytes : ring_bytes;
}

}  // namespace

Mail decode_mail(Bytes record) {
  RecordParts<MailHeader> parts(record);
  Mail mail;
  mail.kind = parts.header.kind;
  mail.flag = parts.header.flag;
  mail.hosted = parts.header.hosted;
  mail.sequence = parts.header.sequence;
  mail.number = parts.header.number;
  mail.token = parts.header.token;
  mail.endpoint = parts.header.endpoint;
  mail.due = parts.header.due;
  mail.name = as_text(parts.take(parts.header.name_bytes));
  mail.bytes = parts.rest;
  return mail;
}

std::size_t read_bundle(Bytes bundle, std::span<Parcel, bundle_messages_max> parcels) {
  std::size_t count = 0;
  while (!bundle.empty() && count < parcels.size()) {
    RecordParts<ParcelHeader> parts(bundle);
    parcels[count++] = {parts.header.subject, parts.take(parts.header.bytes)};
    bundle = parts.rest;
  }
  return count;
}

bool Mailbox::takes(ShardId to, MailKind kind, std::size_t bytes) const {
  const RingWriter& ring = ends_.to[static_cast<std::size_t>(to)];
  if (bytes > ring.record_bytes_max()) return false;
  return !from_the_network(kind) || ring.room() >= bytes + ring.record_bytes_max() / reserved_share;
}

bool Mailbox::send_bundle(ShardId to, const Endpoint& from, std::span<const Parcel> parcels) {
  std::size_t bytes = sizeof(MailHeader) + parcels.size() * sizeof(ParcelHeader);
  for (const Parcel& parcel : parcels) bytes += parcel.message.size();
  if (!takes(to, MailKind::bundle, bytes)) return false;
  RingWriter& ring = ends_.to[static_cast<std::size_t>(to)];
  MutableBytes room = ring.claim(bytes);
  if (room.empty()) return false;
  const auto append = [&room](Bytes part) {
    std::memcpy(room.data(), part.data(), part.size());
    room = room.subspan(part.size());
  };
  const MailHeader header{.kind = MailKind::bundle, .endpoint = from};
  append(std::as_bytes(std::span(&header, 1)));
  for (const Parcel& parcel : parcels) {
    const ParcelHeader label{parcel.subject, static_cast<std::uint32_t>(parcel.message.size())};
    append(std::as_bytes(std::span(&label, 1)));
    append(parcel.message);
  }
  ring.commit();
  written_ |= 1u << static_cast<unsigned>(to);
  return true;
}

bool Mailbox::send(ShardId to, const Mail& mail) {
  const std::size_t bytes = sizeof(MailHeader) + mail.name.size() + mail.bytes.size();
  if (!takes(to, mail.kind, bytes)) return false;
  RingWriter& ring = ends_.to[static_cast<std::size_t>(to)];
  const MailHeader header{.kind = mail.kind,
                          .flag = mail.flag,
                          .hosted = mail.hosted,
                          .sequence = mail.sequence,
                          .number = mail.number,
                          .token = mail.token,
                          .endpoint = mail.endpoint,
                          .due = mail.due,
                          .name_bytes = static_cast<std::uint32_t>(mail.name.size())};
  if (!write_record(ring, header, {as_bytes(mail.name), mail.bytes})) return false;
  written_ |= 1u << static_cast<unsigned>(to);
  return true;
}

bool Mailbox::roomy() const {
  for (const RingWriter& ring : ends_.to) {
    if (ring.record_bytes_max() < smallest_ring_bytes) continue;  // a lane's ring to itself
    if (ring.room() < ring.record_bytes_max() / 2) return false;
  }
  return true;
}

std::vector<Mailbox> make_mailboxes(Arena& arena, std::uint32_t lanes, std::size_t ring_bytes) {
  std::vector<Mailbox::Ends> ends(lanes);
  for (Mailbox::Ends& end : ends) {
    end.to.reserve(lanes);
    end.from.reserve(lanes);
  }
  for (std::size_t from = 0; from < lanes; ++from) {
    for (std::size_t to = 0; to < lanes; ++to) {
      auto [writer, reader] = make_ring(arena, ring_bytes_of(from, to, ring_bytes));
      ends[from].to.push_back(std::move(writer));
      ends[to].from.push_back(std::move(reader));
    }
  }
  std::vector<Mailbox> boxes;
  for (Mailbox::Ends& end : ends) boxes.emplace_back(std::move(end));
  return boxes;
}

std::size_t mailboxes_footprint(std::uint32_t lanes, std::size_t ring_bytes) {
  Footprint sum;
  for (std::size_t from = 0; from < lanes; ++from) {
    for (std::size_t to = 0; to < lanes; ++to) {
      sum.add(ring_footprint(ring_bytes_of(from, to, ring_bytes)));
    }
  }
  return sum.total();
}

}  // namespace starling
