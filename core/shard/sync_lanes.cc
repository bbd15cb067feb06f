#include "core/shard/sync_lanes.h"

#include <algorithm>
#include <cstring>

#include "core/digest/answer.h"
#include "core/digest/range_window.h"
#include "core/digest/record_sender.h"
#include "core/shard/node_records.h"
#include "core/shard/route.h"
#include "core/shard/send.h"
#include "core/shard/sync_turn.h"

namespace starling {

namespace {

// A lane answers first in the turn in which it did its part, before that turn's packets are sent,
// and then in the next.
constexpr std::uint64_t answers_each = 2;

constexpr std::uint32_t bit_of(ShardId lane) {
  return 1u << static_cast<unsigned>(lane);
}

std::uint32_t owners_of_records(const Node& node, const SyncRecords& message) {
  std::uint32_t lanes = 0;
  SyncRecordReader records(message.records);
  for (SyncRecord record; records.next(record);) {
    lanes |= bit_of(node.buckets.owner(hash_name(record.name)));
  }
  return lanes;
}

// The lane whose turn a page of the range is.
ShardId owner_of_page(std::uint32_t lanes, std::uint32_t page) {
  for (std::uint32_t before = page % static_cast<std::uint32_t>(std::popcount(lanes)); before > 0;
       --before) {
    lanes &= lanes - 1;
  }
  return ShardId{static_cast<std::uint8_t>(std::countr_zero(lanes))};
}

template <class Fn>
void for_each_other(const Node& node, std::uint32_t lanes, Fn&& fn) {
  for (std::uint32_t left = lanes & ~bit_of(node.id); left != 0; left &= left - 1) {
    fn(ShardId{static_cast<std::uint8_t>(std::countr_zero(left))});
  }
}

std::uint32_t all_lanes(const Node& node) {
  return node.lanes == 32 ? ~0u : (1u << node.lanes) - 1;
}

// Asks every lane that has not been lost. A lane that cannot be asked is not waited for.
void ask_whether_through(Node& node, SyncState::Held& held, std::uint64_t number) {
  held.number = number;
  for_each_other(node, all_lanes(node), [&](ShardId lane) {
    if (post(node, lane, {.kind = MailKind::sync_wait, .number = number})) {
      held.missing |= bit_of(lane);
    }
  });
}

void release(Node& node, Instant now, SyncState::Held& held) {
  const SyncState::Held done = std::exchange(held, {});
  if (done.outgoing) {
    node.counters.sync_bytes_out += done.message.size();
    return send_uncompressed(node, done.peer, done.message);
  }
  const Decoded<SyncMessage> message = decode_sync(Bytes(done.message).subspan(1));
  if (message) take_sync(node, now, done.peer, *message, done.message.size());
}

void on_through(Node& node, Instant now, ShardId from, std::uint64_t number) {
  const auto held = std::ranges::find(node.sync->held, number, &SyncState::Held::number);
  if (held == node.sync->held.end()) return;
  held->missing &= ~bit_of(from);
  if (held->missing != 0) return;
  if (number % answers_each == 0) ask_whether_through(node, *held, number + 1);
  if (held->missing == 0) release(node, now, *held);
}

void send_unseen(Node& node, Instant now, const Mail& mail) {
  const Bucket first{static_cast<std::uint16_t>(mail.token >> 16)};
  const auto buckets = static_cast<std::uint32_t>(mail.token & 0xffff);
  std::array<std::uint32_t, RangeSlot::fingerprints_max> room;
  const std::size_t count = std::min(mail.bytes.size() / sizeof room[0], room.size());
  std::memcpy(room.data(), mail.bytes.data(), count * sizeof room[0]);
  const std::span<const std::uint32_t> seen = std::span(room).first(count);

  NodeRecords records(node, now);
  SyncOutbox out(records, mail.endpoint, SyncState::room(node.options));
  RecordSender sender(out, {.exchange = ExchangeId{static_cast<std::uint32_t>(mail.number)}}, 0);
  auto visit = [&](const MemberRecord& record) {
    if (!RangeWindow::has_seen(seen, record.hash)) sender.add(record);
    return true;
  };
  records.for_each_in_buckets(first, buckets, RecordVisitor(visit));
  sender.finish(false);
}

}  // namespace

std::uint32_t owners_of(const Node& node, const BucketRange& range) {
  std::uint32_t lanes = 0;
  for (std::uint32_t i = 0; i < range.buckets; ++i) {
    lanes |=
        bit_of(node.buckets.owner(Bucket{static_cast<std::uint16_t>(to_number(range.first) + i)}));
  }
  return lanes;
}

bool pass_on(Node& node, Instant now, const Endpoint& from, Bytes message,
             const SyncMessage& decoded) {
  const Exchange& exchange = node.sync->exchange;
  const bool for_our_exchange = decoded.header.from_responder;
  if (for_our_exchange && (!exchange.running() || exchange.peer() != from ||
                           exchange.id() != decoded.header.exchange)) {
    return true;  // late, or nobody's
  }
  if (const auto* finished = std::get_if<SyncFinished>(&decoded.body)) {
    if (for_our_exchange && finished->serial == 0) return false;  // to what we opened with
    hold(node, now, from, message, false);
    return true;
  }
  const Mail part{.kind = MailKind::sync_part, .endpoint = from, .bytes = message};
  if (const auto* records = std::get_if<SyncRecords>(&decoded.body)) {
    for_each_other(node, owners_of_records(node, *records),
                   [&](ShardId lane) { post(node, lane, part); });
    return false;
  }
  if (const auto* wanted = std::get_if<SyncRangeWanted>(&decoded.body)) {
    const BucketRange range{Bucket{wanted->first_bucket}, wanted->buckets};
    if (NodeRecords(node, now).digest().sum(range.first, range.buckets) == wanted->sum) {
      return false;
    }
    const ShardId owner = owner_of_page(owners_of(node, range), wanted->page);
    if (owner == node.id) return false;
    post(node, owner, part);
    return true;
  }
  return false;
}

void hold(Node& node, Instant now, const Endpoint& peer, Bytes message, bool outgoing) {
  SyncState& sync = *node.sync;
  // Unused ones have number 0.
  SyncState::Held& held = *std::ranges::min_element(sync.held, {}, &SyncState::Held::number);
  held = {.outgoing = outgoing, .peer = peer};
  std::ranges::copy(message.first(held.message.size()), held.message.begin());
  sync.held_count += answers_each;
  ask_whether_through(node, held, sync.held_count);
  if (held.missing == 0) release(node, now, held);
}

std::span<const Symbol> ask_owners(Node& node, std::span<Symbol> symbols, const SyncHeader& header,
                                   const Endpoint& to) {
  std::uint32_t lanes = 0;
  for (const Symbol symbol : symbols) lanes |= bit_of(node.buckets.owner(bucket_of(symbol)));
  // As if the peer had wanted these rows.
  const SyncHeader asked{.exchange = header.exchange, .from_responder = !header.from_responder};
  for_each_other(node, lanes, [&](ShardId lane) {
    std::array<std::byte, sync_want_symbols_max * sync_symbol_bytes> room;
    std::array<std::byte, sync_room_min> message;
    Writer wanted(room);
    const auto flush = [&] {
      Writer out(message);
      encode(asked, SyncWant{.symbols = SyncSymbols(wanted.written())}, out);
      CHECK(out.ok());
      post(node, lane, {.kind = MailKind::sync_part, .endpoint = to, .bytes = out.written()});
      wanted.rewind(0);
    };
    for (const Symbol symbol : symbols) {
      if (node.buckets.owner(bucket_of(symbol)) != lane) continue;
      wanted.u64(to_number(symbol));
      if (wanted.room() == 0) flush();
    }
    if (wanted.size() > 0) flush();
  });
  const auto others = std::ranges::remove_if(
      symbols, [&](Symbol symbol) { return node.buckets.owner(bucket_of(symbol)) != node.id; });
  return symbols.first(symbols.size() - others.size());
}

void ask_for_unseen(Node& node, const BucketRange& range,
                    std::span<const std::uint32_t> fingerprints, const SyncHeader& header,
                    const Endpoint& to) {
  const Mail wanted{.kind = MailKind::sync_unseen,
                    .number = to_number(header.exchange),
                    .token = std::uint64_t{to_number(range.first)} << 16 | range.buckets,
                    .endpoint = to,
                    .bytes = std::as_bytes(fingerprints)};
  for_each_other(node, owners_of(node, range), [&](ShardId lane) { post(node, lane, wanted); });
}

void apply_sync_mail(Node& node, Instant now, ShardId from, const Mail& mail) {
  if (!node.sync) return;
  switch (mail.kind) {
    case MailKind::sync_part: {
      const Decoded<SyncMessage> message = decode_sync(mail.bytes.subspan(1));
      if (!message) return;
      NodeRecords records(node, now);
      return answer_part(mail.endpoint, *message, SyncState::room(node.options), records);
    }
    case MailKind::sync_unseen:
      return send_unseen(node, now, mail);
    case MailKind::sync_wait:
      post(node, from, {.kind = MailKind::sync_through, .number = mail.number});
      return;
    case MailKind::sync_through:
      return on_through(node, now, from, mail.number);
    default:
      return;
  }
}

}  // namespace starling
