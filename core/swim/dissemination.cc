#include "core/swim/dissemination.h"

#include <algorithm>
#include <bit>

namespace starling {
namespace {

// How many updates a new one may push out when the slab has no block for it. More would empty the
// queue for a message whose size nothing that waits can make room for.
constexpr std::uint32_t slab_drops_max = 16;

std::size_t words_per_tier(std::uint32_t message_bytes_max) {
  return message_bytes_max / 64 + 1;
}

std::size_t lists_for(const DisseminationLimits& limits) {
  return std::size_t{limits.transmits_max} * (std::size_t{limits.message_bytes_max} + 1);
}

}  // namespace

Dissemination::Dissemination(Arena& arena, const DisseminationLimits& limits)
    : message_bytes_max_(limits.message_bytes_max),
      transmits_max_(limits.transmits_max),
      slab_(arena, limits.slab_bytes),
      updates_(arena.make_zeroed<Update>(limits.updates_max)),
      update_about_(arena.make<std::uint32_t>(limits.subjects_max)),
      lists_(arena.make_zeroed<List>(lists_for(limits))),
      lengths_(arena.make<std::uint64_t>(limits.transmits_max *
                                         words_per_tier(limits.message_bytes_max))),
      tier_sizes_(arena.make<std::uint32_t>(limits.transmits_max)),
      finished_(arena.make<std::uint32_t>(limits.tickets_max)) {
  CHECK(limits.updates_max >= 1 && limits.transmits_max >= 1);
  CHECK(limits.message_bytes_max <= Slab::bytes_max);
}

std::size_t Dissemination::footprint(const DisseminationLimits& limits) {
  Footprint sum;
  sum.add(Slab::footprint(limits.slab_bytes));
  sum.make_zeroed<Update>(limits.updates_max);
  sum.make<std::uint32_t>(limits.subjects_max);
  sum.make_zeroed<List>(lists_for(limits));
  sum.make<std::uint64_t>(limits.transmits_max * words_per_tier(limits.message_bytes_max));
  sum.make<std::uint32_t>(limits.transmits_max);
  sum.make<std::uint32_t>(limits.tickets_max);
  return sum.total();
}

void Dissemination::enqueue(Subject subject, Bytes message, std::uint32_t ticket) {
  CHECK(!fetching_);
  if (subject != no_subject) {
    const std::uint32_t older = update_about_[static_cast<std::size_t>(subject)];
    if (older != nil) {
      unlink(older);
      finish(older);
    }
  }
  if (message.size() > message_bytes_max_) {
    ++dropped_;
    report(ticket);
    return;
  }
  if (size_ == updates_.size()) drop_last();
  std::optional<SlabRef> stored = slab_.put(message);
  for (std::uint32_t drops = 0; !stored && size_ > 0 && drops < slab_drops_max; ++drops) {
    drop_last();
    stored = slab_.put(message);
  }
  if (!stored) {
    ++dropped_;
    report(ticket);
    return;
  }

  std::uint32_t update = free_;
  if (update != nil) {
    free_ = update_at(update).next;
  } else {
    update = ++used_;
  }
  update_at(update) = {.id = id_next_++,
                       .next = nil,
                       .previous = nil,
                       .message = *stored,
                       .subject = subject,
                       .ticket = ticket,
                       .length = static_cast<std::uint32_t>(message.size()),
                       .transmits = 0,
                       .queued_ms = now_ms_};
  if (subject != no_subject) update_about_[static_cast<std::size_t>(subject)] = update;
  ++size_;
  bytes_ += message.size();
  link(update);
}

Duration Dissemination::oldest_age() const {
  const std::size_t words = words_per_tier(message_bytes_max_);
  std::uint32_t oldest = nil;
  for (std::uint32_t tier = 0; tier < tiers_used_end_; ++tier) {
    if (tier_sizes_[tier] == 0) continue;
    for (std::size_t word = 0; word < words; ++word) {
      for (std::uint64_t bits = lengths_[tier * words + word]; bits != 0; bits &= bits - 1) {
        const std::size_t length = word * 64 + static_cast<std::size_t>(std::countr_zero(bits));
        const std::uint32_t last = lists_[list_number(tier, length)].last;
        if (oldest == nil || update_at(last).id < update_at(oldest).id) oldest = last;
      }
    }
  }
  if (oldest == nil) return Duration::zero();
  return std::chrono::milliseconds(now_ms_ - update_at(oldest).queued_ms);
}

void Dissemination::prune(std::uint32_t keep) {
  CHECK(!fetching_);
  while (size_ > keep) {
    const std::uint32_t update = last();
    unlink(update);
    finish(update);
  }
}

std::uint32_t Dissemination::longest(std::uint32_t tier, std::size_t bytes_max) {
  if (tier_sizes_[tier] == 0) return nil;
  const std::size_t words = words_per_tier(message_bytes_max_);
  const std::span<const std::uint64_t> lengths = lengths_.subspan(tier * words, words);
  const std::size_t limit = std::min<std::size_t>(bytes_max, message_bytes_max_);
  std::uint64_t bits = lengths[limit / 64] & (~0ull >> (63 - limit % 64));
  for (std::size_t word = limit / 64;; bits = lengths[--word]) {
    if (bits != 0) {
      const std::size_t length = word * 64 + static_cast<std::size_t>(std::bit_width(bits)) - 1;
      return list_of(tier, static_cast<std::uint32_t>(length)).first;
    }
    if (word == 0) return nil;
  }
}

std::uint32_t Dissemination::last() {
  CHECK(size_ > 0);
  const std::uint32_t tier = tiers_used_end_ - 1;
  const std::size_t words = words_per_tier(message_bytes_max_);
  std::size_t word = 0;
  while (lengths_[tier * words + word] == 0) ++word;
  const auto bit = static_cast<std::size_t>(std::countr_zero(lengths_[tier * words + word]));
  return list_of(tier, static_cast<std::uint32_t>(word * 64 + bit)).last;
}

void Dissemination::link(std::uint32_t update) {
  Update& added = update_at(update);
  List& list = list_of(added.transmits, added.length);

  // The neighbour that is newer, nil at the front. Both ends are tried first, then the walk starts
  // where the last update went that did not go to an end.
  std::uint32_t newer = nil;
  if (list.first != nil && added.id < update_at(list.first).id) {
    newer = added.id < update_at(list.last).id ? list.last
            : list.latest != nil               ? list.latest
                                               : list.first;
    while (update_at(newer).id < added.id) newer = update_at(newer).previous;
    while (update_at(newer).next != nil && update_at(update_at(newer).next).id > added.id) {
      newer = update_at(newer).next;
    }
  }
  added.previous = newer;
  added.next = newer == nil ? list.first : update_at(newer).next;
  (newer == nil ? list.first : update_at(newer).next) = update;
  (added.next == nil ? list.last : update_at(added.next).previous) = update;
  if (newer != nil && added.next != nil) list.latest = update;

  const std::size_t words = words_per_tier(message_bytes_max_);
  lengths_[added.transmits * words + added.length / 64] |= 1ull << (added.length % 64);
  ++tier_sizes_[added.transmits];
  tiers_used_end_ = std::max(tiers_used_end_, added.transmits + 1);
}

void Dissemination::unlink(std::uint32_t update) {
  const Update& gone = update_at(update);
  List& list = list_of(gone.transmits, gone.length);
  if (list.latest == update) list.latest = gone.previous != nil ? gone.previous : gone.next;
  (gone.previous == nil ? list.first : update_at(gone.previous).next) = gone.next;
  (gone.next == nil ? list.last : update_at(gone.next).previous) = gone.previous;

  if (list.first == nil) {
    const std::size_t words = words_per_tier(message_bytes_max_);
    lengths_[gone.transmits * words + gone.length / 64] &= ~(1ull << (gone.length % 64));
  }
  --tier_sizes_[gone.transmits];
  while (tiers_used_end_ > 0 && tier_sizes_[tiers_used_end_ - 1] == 0) --tiers_used_end_;
}

void Dissemination::put_back(std::uint32_t taken) {
  while (taken != nil) {
    const std::uint32_t next = update_at(taken).next;
    ++update_at(taken).transmits;
    link(taken);
    taken = next;
  }
}

void Dissemination::finish(std::uint32_t update) {
  Update& done = update_at(update);
  slab_.release(done.message);
  if (done.subject != no_subject) update_about_[static_cast<std::size_t>(done.subject)] = nil;
  report(done.ticket);
  done.next = free_;
  free_ = update;
  --size_;
  bytes_ -= done.length;
}

void Dissemination::report(std::uint32_t ticket) {
  if (ticket == 0) return;
  if (finished_count_ == finished_.size()) {
    ++tickets_lost_;
    return;
  }
  finished_[finished_count_++] = ticket;
}

void Dissemination::drop_last() {
  const std::uint32_t update = last();
  unlink(update);
  finish(update);
  ++dropped_;
}

}  // namespace starling
