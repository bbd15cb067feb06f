// SyncLink: two bags, an exchange between them, and a network with faults from a seed. For tests.
//
// Virtual time: a datagram takes one millisecond, or some more where it is reordered. Everything
// that goes over the link is encoded and decoded, and counted.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "core/base/rng.h"
#include "core/digest/answer.h"
#include "core/digest/exchange.h"
#include "tests/support/member_bag.h"

namespace starling::test {

struct LinkFaults {
  double loss = 0;
  double duplication = 0;
  double reordering = 0;  // up to five milliseconds late
};

class SyncLink {
 public:
  SyncLink(MemberBag& initiator, MemberBag& responder, const ExchangeOptions& options,
           const LinkFaults& faults = {}, std::uint64_t seed = 1);

  // Runs one exchange to its end.
  const ExchangeOutcome& run();

  // What arrives is given to this first, which may answer in place of the honest peer. True: done.
  using Liar = std::function<bool(const SyncMessage& message)>;
  void lie(Liar liar) { liar_ = std::move(liar); }
  // Sends as the responder does.
  void send_to_initiator(Bytes message);

  Exchange& exchange() { return exchange_; }
  // Both ways, lost ones too; doubles are the network's.
  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t messages() const { return messages_; }
  // Time that went by in the last run.
  Duration took() const { return took_; }
  Instant now() const { return now_; }

 private:
  struct Datagram {
    bool to_responder = false;
    std::vector<std::byte> bytes;
  };
  void transmit(bool to_responder, Bytes message);
  void deliver(const Datagram& datagram);

  MemberBag& initiator_;
  MemberBag& responder_;
  ExchangeOptions options_;
  LinkFaults faults_;
  Rng rng_;
  ArenaBlock block_;
  Exchange exchange_;
  Liar liar_;
  std::multimap<Instant, Datagram> under_way_;
  Instant now_{};
  Duration took_{};
  std::uint64_t bytes_ = 0;
  std::uint64_t messages_ = 0;
  std::uint32_t next_id_ = 1;
};

}  // namespace starling::test
