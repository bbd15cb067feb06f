#include "core/base/wheel.h"

#include <algorithm>

namespace starling {
namespace {

constexpr std::uint64_t tick_ns = 1'000'000;
constexpr std::uint32_t slot_bits = 8;

}  // namespace

TimerWheel::TimerWheel(Arena& arena, std::uint32_t timers_max, Instant start)
    : nodes_(arena.make<Node>(std::size_t{timers_first} + timers_max)),
      start_(start),
      tick_max_((static_cast<std::uint64_t>(Instant::max().time_since_epoch().count()) -
                 static_cast<std::uint64_t>(start.time_since_epoch().count())) /
                tick_ns),
      timers_max_(timers_max) {
  CHECK(timers_max <= 0xffff'ffff - timers_first);
  for (std::uint32_t head = slot_heads; head < timers_first; ++head) {
    nodes_[head].next = nodes_[head].previous = head;
  }
}

std::size_t TimerWheel::footprint(std::uint32_t timers_max) {
  Footprint sum;
  sum.make<Node>(std::size_t{timers_first} + timers_max);
  return sum.total();
}

void TimerWheel::arm(TimerId id, Instant due) {
  const std::uint32_t node = node_of(id);
  if (nodes_[node].next != nil) {
    detach(node);
  } else {
    ++armed_count_;
  }
  nodes_[node].tick = std::max(tick_after(due), current_);
  append(head_for(nodes_[node].tick, ready_head), node);
}

void TimerWheel::cancel(TimerId id) {
  const std::uint32_t node = node_of(id);
  if (nodes_[node].next != nil) unlink(node);
}

Instant TimerWheel::due(TimerId id) const {
  DCHECK(armed(id));
  return instant_of(nodes_[node_of(id)].tick);
}

Instant TimerWheel::next_due() const {
  const bool due_now =
      nodes_[ready_head].next != ready_head || nodes_[firing_head].next != firing_head;
  if (due_now) return instant_of(current_);
  std::uint64_t tick = 0;
  std::uint32_t head = nil;
  return next_event(tick, head) ? instant_of(tick) : Instant::max();
}

std::uint64_t TimerWheel::tick_after(Instant due) const {
  if (due <= start_) return 0;
  // Unsigned: the difference of two instants may not fit their own type.
  const std::uint64_t since = static_cast<std::uint64_t>(due.time_since_epoch().count()) -
                              static_cast<std::uint64_t>(start_.time_since_epoch().count());
  return std::min(since / tick_ns + (since % tick_ns != 0 ? 1 : 0), tick_max_);
}

std::uint64_t TimerWheel::tick_before(Instant now) const {
  if (now <= start_) return 0;
  const std::uint64_t since = static_cast<std::uint64_t>(now.time_since_epoch().count()) -
                              static_cast<std::uint64_t>(start_.time_since_epoch().count());
  return since / tick_ns;
}

Instant TimerWheel::instant_of(std::uint64_t tick) const {
  return Instant(Duration(static_cast<Duration::rep>(
      static_cast<std::uint64_t>(start_.time_since_epoch().count()) + tick * tick_ns)));
}

std::uint32_t TimerWheel::head_for(std::uint64_t tick, std::uint32_t due_head) const {
  if (tick <= current_) return due_head;
  const auto highest_bit = static_cast<std::uint32_t>(std::bit_width(tick ^ current_)) - 1;
  const std::uint32_t level = highest_bit / slot_bits;
  if (level >= levels) return far_head;
  const auto slot = static_cast<std::uint32_t>(tick >> (level * slot_bits)) % slots;
  return slot_heads + level * slots + slot;
}

void TimerWheel::append(std::uint32_t head, std::uint32_t node) {
  const std::uint32_t last = nodes_[head].previous;
  nodes_[node].next = head;
  nodes_[node].previous = last;
  nodes_[last].next = node;
  nodes_[head].previous = node;
  mark(head);
}

void TimerWheel::detach(std::uint32_t node) {
  const std::uint32_t next = nodes_[node].next;
  const std::uint32_t previous = nodes_[node].previous;
  nodes_[previous].next = next;
  nodes_[next].previous = previous;
  // The last one out: both neighbours are the head.
  if (next == previous) mark(next);
}

void TimerWheel::unlink(std::uint32_t node) {
  detach(node);
  nodes_[node].next = nodes_[node].previous = nil;
  --armed_count_;
}

// Appends all of `from` to `to`, in order.
void TimerWheel::splice(std::uint32_t from, std::uint32_t to) {
  const std::uint32_t first = nodes_[from].next;
  if (first == from) return;
  const std::uint32_t last = nodes_[from].previous;
  const std::uint32_t end = nodes_[to].previous;
  nodes_[end].next = first;
  nodes_[first].previous = end;
  nodes_[last].next = to;
  nodes_[to].previous = last;
  nodes_[from].next = nodes_[from].previous = from;
  mark(from);
  mark(to);
}

// Brings the slot's bit in line with its list.
void TimerWheel::mark(std::uint32_t head) {
  if (head < slot_heads || head >= far_head) return;
  const std::uint32_t level = (head - slot_heads) / slots;
  const std::uint32_t slot = (head - slot_heads) % slots;
  std::uint64_t& word = occupied_[level][slot / 64];
  const std::uint64_t bit = 1ull << (slot % 64);
  word = nodes_[head].next == head ? word & ~bit : word | bit;
}

bool TimerWheel::next_event(std::uint64_t& tick, std::uint32_t& head) const {
  // A slot of a lower level always comes before one of a higher level: it shares more bytes with
  // the current tick.
  for (std::uint32_t level = 0; level < levels; ++level) {
    const std::uint32_t shift = level * slot_bits;
    const auto now_slot = static_cast<std::uint32_t>(current_ >> shift) % slots;
    for (std::uint32_t word = (now_slot + 1) / 64; word < slots / 64; ++word) {
      std::uint64_t bits = occupied_[level][word];
      if (word == (now_slot + 1) / 64) bits &= ~0ull << ((now_slot + 1) % 64);
      if (bits == 0) continue;
      const std::uint32_t slot = word * 64 + static_cast<std::uint32_t>(std::countr_zero(bits));
      const std::uint64_t above = current_ >> (shift + slot_bits) << (shift + slot_bits);
      tick = above | (std::uint64_t{slot} << shift);
      head = slot_heads + level * slots + slot;
      return true;
    }
  }
  if (nodes_[far_head].next == far_head) return false;
  constexpr std::uint32_t reach_bits = levels * slot_bits;
  tick = ((current_ >> reach_bits) + 1) << reach_bits;
  head = far_head;
  return true;
}

bool TimerWheel::step(std::uint64_t target) {
  std::uint64_t tick = 0;
  std::uint32_t head = nil;
  if (!next_event(tick, head) || tick > target) {
    current_ = target;
    return false;
  }
  current_ = tick;
  // Takes the list out first: far timers may go back to the list they came from.
  const std::uint32_t first = nodes_[head].next;
  const std::uint32_t last = nodes_[head].previous;
  nodes_[head].next = nodes_[head].previous = head;
  mark(head);
  for (std::uint32_t node = first;;) {
    const std::uint32_t next = nodes_[node].next;
    append(head_for(nodes_[node].tick, firing_head), node);
    if (node == last) return true;
    node = next;
  }
}

}  // namespace starling
