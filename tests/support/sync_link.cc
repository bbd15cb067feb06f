#include "tests/support/sync_link.h"

namespace starling::test {

namespace {

const Endpoint initiator_endpoint{IpAddress::v4(10, 0, 0, 1), 7946};
const Endpoint responder_endpoint{IpAddress::v4(10, 0, 0, 2), 7946};

}  // namespace

SyncLink::SyncLink(MemberBag& initiator, MemberBag& responder, const ExchangeOptions& options,
                   const LinkFaults& faults, std::uint64_t seed)
    : initiator_(initiator),
      responder_(responder),
      options_(options),
      faults_(faults),
      rng_(seed),
      block_(Exchange::footprint(options) + cache_line_bytes),
      exchange_(block_.arena(), options) {
  initiator_.on_send([this](const Endpoint& to, Bytes message) {
    CHECK(to == responder_endpoint);
    transmit(true, message);
  });
  responder_.on_send([this](const Endpoint& to, Bytes message) {
    CHECK(to == initiator_endpoint);
    transmit(false, message);
  });
}

void SyncLink::send_to_initiator(Bytes message) {
  transmit(false, message);
}

void SyncLink::transmit(bool to_responder, Bytes message) {
  CHECK(message.size() <= options_.room && message[0] == std::byte{sync_message_type});
  bytes_ += message.size();
  ++messages_;
  if (rng_.chance(faults_.loss)) return;
  const int copies = rng_.chance(faults_.duplication) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    Duration delay = std::chrono::milliseconds(1);
    if (rng_.chance(faults_.reordering)) delay += std::chrono::microseconds(rng_.below(5000));
    under_way_.emplace(now_ + delay, Datagram{to_responder, {message.begin(), message.end()}});
  }
}

void SyncLink::deliver(const Datagram& datagram) {
  const auto message = decode_sync(Bytes(datagram.bytes).subspan(1));
  CHECK(message.has_value());
  if (datagram.to_responder) {
    if (liar_ && liar_(*message)) return;
    answer(initiator_endpoint, *message, options_.room, responder_);
  } else {
    exchange_.on_message(now_, responder_endpoint, *message, datagram.bytes.size(), initiator_);
  }
}

const ExchangeOutcome& SyncLink::run() {
  const Instant began = now_;
  exchange_.begin(now_, ExchangeId{next_id_}, responder_endpoint, initiator_);
  next_id_ += options_.rounds_max;
  while (exchange_.running()) {
    const Instant due = *exchange_.next_due();
    if (!under_way_.empty() && under_way_.begin()->first <= due) {
      const auto next = under_way_.extract(under_way_.begin());
      now_ = next.key();
      deliver(next.mapped());
    } else {
      now_ = std::max(now_, due);
      exchange_.on_time(now_, initiator_);
    }
  }
  took_ = now_ - began;
  return exchange_.outcome();
}

}  // namespace starling::test
