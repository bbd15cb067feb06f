#include "core/serf/event_buffer.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "wire/base/check.h"

namespace starling {

namespace {

std::size_t index_entries(EventBufferLimits limits) {
  return std::bit_ceil(std::size_t{limits.events_max}) * 2;
}

// Equal events of one time have equal hashes.
std::uint64_t hash_event(LamportTime time, std::string_view name, Bytes payload) {
  return hash_bytes(payload, hash_bytes(as_bytes(name), to_number(time)));
}

}  // namespace

std::size_t EventBuffer::footprint(EventBufferLimits limits) {
  Footprint footprint;
  footprint.make_zeroed<RingSlot>(limits.slots);
  footprint.make<Record>(limits.events_max);
  footprint.make<std::uint32_t>(index_entries(limits));
  footprint.make<std::byte>(limits.storage_bytes);
  return footprint.total();
}

EventBuffer::EventBuffer(Arena& arena, EventBufferLimits limits) : clock_(LamportTime{1}) {
  CHECK(limits.slots > 0 && limits.events_max > 0 && limits.events_max < (1u << 30));
  slots_ = arena.make_zeroed<RingSlot>(limits.slots);
  records_ = arena.make<Record>(limits.events_max);
  index_ = arena.make<std::uint32_t>(index_entries(limits));
  index_mask_ = static_cast<std::uint32_t>(index_.size()) - 1;
  storage_ = arena.make<std::byte>(limits.storage_bytes);
}

EventBuffer::Verdict EventBuffer::accept(LamportTime time, std::string_view name, Bytes payload) {
  clock_.witness(time);
  if (time < minimum_) return Verdict::before_minimum;
  const std::uint64_t now = to_number(clock_.time());
  if (now > slots_.size() && to_number(time) < now - slots_.size()) return Verdict::too_old;
  if (time < kept_from_) return Verdict::too_old;
  // At the end of time the clock stands still and two times could take turns in one slot.
  if (slot_of(time).count > 0 && time < slot_of(time).time) return Verdict::too_old;

  const Event event{name, payload};
  const std::uint64_t hash = hash_event(time, name, payload);
  if (find(time, hash, event)) return Verdict::duplicate;
  if (!make_room(time, name.size() + payload.size())) return Verdict::no_space;
  append(time, hash, event);
  return Verdict::fresh;
}

std::uint32_t EventBuffer::digest() const {
  if (digest_known_) return digest_;
  std::uint64_t sum = 0;
  for (const RingSlot& slot : slots_) {
    if (slot.count == 0) continue;
    for (std::uint32_t at = slot.first; at != nothing; at = records_[at].next) {
      sum += records_[at].hash;
    }
  }
  digest_ = static_cast<std::uint32_t>(sum >> 32);
  digest_known_ = true;
  return digest_;
}

bool EventBuffer::misses(LamportTime from, LamportTime to) const {
  const std::uint64_t now = to_number(clock_.time());
  const std::uint64_t oldest = now > slots_.size() ? now - slots_.size() : 0;
  const std::uint64_t end = std::min(to_number(to), now);
  std::uint64_t time =
      std::max({to_number(from), to_number(minimum_), to_number(kept_from_), oldest});
  for (; time < end; ++time) {
    const RingSlot& slot = slot_of(LamportTime{time});
    if (slot.count == 0 || to_number(slot.time) < time) return true;
  }
  return false;
}

void EventBuffer::raise_minimum(LamportTime minimum) {
  if (minimum_ < minimum) minimum_ = minimum;
}

EventBuffer::RingSlot& EventBuffer::slot_of(LamportTime time) {
  return slots_[to_number(time) % slots_.size()];
}
const EventBuffer::RingSlot& EventBuffer::slot_of(LamportTime time) const {
  return slots_[to_number(time) % slots_.size()];
}

// A time never comes back to its slot once another took it over, so the time tells.
bool EventBuffer::live(const Record& record) const {
  const RingSlot& slot = slot_of(record.time);
  return slot.count > 0 && slot.time == record.time;
}

EventBuffer::Event EventBuffer::view(const Record& record) const {
  const Bytes bytes = Bytes(storage_).subspan(record.at, record.name_bytes + record.payload_bytes);
  return {as_text(bytes.first(record.name_bytes)), bytes.subspan(record.name_bytes)};
}

bool EventBuffer::find(LamportTime time, std::uint64_t hash, const Event& event) const {
  for (auto at = static_cast<std::uint32_t>(hash) & index_mask_; index_[at] != 0;
       at = (at + 1) & index_mask_) {
    const Record& record = records_[index_[at] - 1];
    if (record.hash != hash || record.time != time || !live(record)) continue;
    const Event known = view(record);
    if (known.name == event.name && equal(known.payload, event.payload)) return true;
  }
  return false;
}

bool EventBuffer::fits(std::size_t bytes) const {
  return records_used_ < records_.size() && bytes <= storage_.size() - storage_used_;
}

// More than seven eighths in use: squeezing now would have to be repeated too soon.
bool EventBuffer::crowded(std::size_t bytes) const {
  return bytes_live_ + bytes > storage_.size() - storage_.size() / 8 ||
         events_ >= records_.size() - records_.size() / 8;
}

bool EventBuffer::make_room(LamportTime time, std::size_t bytes) {
  if (fits(bytes)) return true;
  if (bytes > storage_.size()) return false;
  while (crowded(bytes)) {
    RingSlot* lowest = lowest_before(time);
    if (lowest == nullptr) break;
    kept_from_ = LamportTime{to_number(lowest->time) + 1};
    drop_slot(*lowest);
    ++evicted_slots_;
  }
  if (records_used_ == events_) return false;  // nothing to squeeze out
  squeeze();
  return fits(bytes);
}

EventBuffer::RingSlot* EventBuffer::lowest_before(LamportTime time) {
  RingSlot* lowest = nullptr;
  for (RingSlot& slot : slots_) {
    if (slot.count == 0 || slot.time >= time) continue;
    if (lowest == nullptr || slot.time < lowest->time) lowest = &slot;
  }
  return lowest;
}

void EventBuffer::drop_slot(RingSlot& slot) {
  events_ -= slot.count;
  bytes_live_ -= slot.bytes;
  slot = {};
}

void EventBuffer::squeeze() {
  ++squeezes_;
  std::fill(index_.begin(), index_.end(), 0u);
  for (RingSlot& slot : slots_) slot.linked = 0;
  std::uint32_t kept = 0, used = 0;
  for (std::uint32_t number = 0; number < records_used_; ++number) {
    Record record = records_[number];
    if (!live(record)) continue;
    const std::uint32_t bytes = record.name_bytes + record.payload_bytes;
    if (bytes > 0) std::memmove(&storage_[used], &storage_[record.at], bytes);
    record.at = used;
    used += bytes;
    records_[kept] = record;
    link(kept++);
  }
  records_used_ = kept;
  storage_used_ = used;
}

// Appends a record to the list of its slot and to the index.
void EventBuffer::link(std::uint32_t number) {
  Record& record = records_[number];
  RingSlot& slot = slot_of(record.time);
  record.next = nothing;
  (slot.linked == 0 ? slot.first : records_[slot.last].next) = number;
  slot.last = number;
  ++slot.linked;

  auto at = static_cast<std::uint32_t>(record.hash) & index_mask_;
  while (index_[at] != 0) at = (at + 1) & index_mask_;
  index_[at] = number + 1;
}

void EventBuffer::append(LamportTime time, std::uint64_t hash, const Event& event) {
  RingSlot& slot = slot_of(time);
  if (slot.count > 0 && slot.time != time) drop_slot(slot);
  const auto name_bytes = static_cast<std::uint32_t>(event.name.size());
  const auto payload_bytes = static_cast<std::uint32_t>(event.payload.size());
  std::uint32_t at = storage_used_;
  const auto put = [&](Bytes bytes) {
    if (!bytes.empty()) std::memcpy(&storage_[at], bytes.data(), bytes.size());
    at += static_cast<std::uint32_t>(bytes.size());
  };
  put(as_bytes(event.name));
  put(event.payload);
  records_[records_used_] = {.time = time,
                             .hash = hash,
                             .at = storage_used_,
                             .name_bytes = name_bytes,
                             .payload_bytes = payload_bytes,
                             .next = nothing};
  storage_used_ = at;

  slot.time = time;
  ++slot.count;
  slot.bytes += name_bytes + payload_bytes;
  digest_known_ = false;
  ++events_;
  bytes_live_ += name_bytes + payload_bytes;
  link(records_used_++);
}

}  // namespace starling
