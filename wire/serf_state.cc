#include "wire/serf_state.h"

#include <cstring>

#include "wire/base/check.h"
#include "wire/msgpack.h"

namespace starling {
namespace {

constexpr std::array<std::string_view, 2> slot_keys{"LTime", "Events"};
constexpr std::array<std::string_view, 2> listed_event_keys{"Name", "Payload"};

}  // namespace

SerfStateReader::SerfStateReader(MutableBytes carry) : carry_(carry) {
  CHECK(carry.size() > small_bytes);
}

auto SerfStateReader::feed_to(Bytes chunk, const Calls& calls, void* sink) -> Decoded<Progress> {
  while (!failed_ && stage_ != Stage::done && !chunk.empty()) {
    if (!step(chunk, calls, sink)) break;
  }
  if (failed_) return std::unexpected(error_);
  return stage_ == Stage::done ? Progress::done : Progress::more;
}

bool SerfStateReader::step(Bytes& chunk, const Calls& calls, void* sink) {
  switch (stage_) {
    case Stage::map_header:
      if (!collect_header(chunk, true, pairs_left_)) return false;
      stage_ = pairs_left_ == 0 ? Stage::done : Stage::key;
      return true;
    case Stage::key:
      return read_key(chunk);
    case Stage::member_clock:
    case Stage::event_clock:
    case Stage::query_clock:
      return read_clock(chunk, calls, sink);
    case Stage::left_header:
      return read_list_header(chunk, false, Stage::left_item);
    case Stage::left_item: {
      std::string_view name;
      if (!collect_text(chunk, name)) return false;
      calls.left_member(sink, name);
      end_item(Stage::left_item);
      return true;
    }
    case Stage::status_header:
      return read_list_header(chunk, true, Stage::status_name);
    case Stage::status_name:
    case Stage::status_time:
      return read_status(chunk, calls, sink);
    case Stage::events_header:
      return read_list_header(chunk, false, Stage::event_slot);
    case Stage::event_slot:
      return read_slot(chunk, calls, sink);
    case Stage::skip_value:
      return pass_over_value(chunk);
    case Stage::done:
      break;
  }
  return false;
}

auto SerfStateReader::collect(Bytes& chunk, MutableBytes room, Bytes& item) -> Item {
  if (value_bytes_ == 0) item_offset_ = offset_;
  const auto taken = scanner_.scan(chunk);
  if (!taken) {
    fail(taken.error().fault);
    return Item::incomplete;
  }
  const Bytes piece = chunk.first(*taken);
  take(chunk, *taken);
  value_bytes_ += *taken;
  const bool fits = value_bytes_ <= room.size();
  const bool complete = scanner_.complete();
  if (fits && complete && held_ == 0) {
    item = piece;
  } else if (fits) {
    std::memcpy(room.data() + held_, piece.data(), piece.size());
    held_ += piece.size();
    item = room.first(held_);
  }
  if (!complete) return Item::incomplete;
  scanner_.reset();
  held_ = 0;
  value_bytes_ = 0;
  return fits ? Item::ready : Item::oversized;
}

bool SerfStateReader::collect_header(Bytes& chunk, bool map, std::uint64_t& count) {
  while (!chunk.empty()) {
    if (header_bytes_ == 0) item_offset_ = offset_;
    header_[header_bytes_++] = chunk[0];
    take(chunk, 1);
    Reader in(Bytes(header_).first(header_bytes_));
    count = map ? msgpack::read_map_header(in) : msgpack::read_array_header(in);
    if (in.ok()) {
      header_bytes_ = 0;
      return true;
    }
    if (in.error().fault != WireFault::truncated) return fail(in.error().fault);
  }
  return false;
}

bool SerfStateReader::collect_time(Bytes& chunk, LamportTime& time) {
  Bytes item;
  const Item state = collect(chunk, time_room(), item);
  if (state == Item::incomplete) return false;
  if (state == Item::oversized) return fail(WireFault::wrong_type);
  Reader in(item);
  time = LamportTime{msgpack::read_u64(in)};
  return in.ok() || fail(in.error().fault);
}

bool SerfStateReader::collect_text(Bytes& chunk, std::string_view& text) {
  Bytes item;
  const Item state = collect(chunk, item_room(), item);
  if (state == Item::incomplete) return false;
  if (state == Item::oversized) return fail(WireFault::too_large);
  Reader in(item);
  text = msgpack::read_text(in);
  return in.ok() || fail(in.error().fault);
}

bool SerfStateReader::read_key(Bytes& chunk) {
  field_ = "";
  std::string_view key;
  if (!collect_text(chunk, key)) return false;
  struct Entry {
    const char* key;
    Stage stage;
  };
  static constexpr std::array<Entry, 6> entries{{
      {"EventLTime", Stage::event_clock},
      {"Events", Stage::events_header},
      {"LTime", Stage::member_clock},
      {"LeftMembers", Stage::left_header},
      {"QueryLTime", Stage::query_clock},
      {"StatusLTimes", Stage::status_header},
  }};
  stage_ = Stage::skip_value;
  for (const Entry& entry : entries) {
    if (key != entry.key) continue;
    stage_ = entry.stage;
    field_ = entry.key;
  }
  return true;
}

bool SerfStateReader::read_clock(Bytes& chunk, const Calls& calls, void* sink) {
  LamportTime time{};
  if (!collect_time(chunk, time)) return false;
  if (stage_ == Stage::member_clock) {
    calls.member_clock(sink, time);
  } else if (stage_ == Stage::event_clock) {
    calls.event_clock(sink, time);
  } else {
    calls.query_clock(sink, time);
  }
  end_pair();
  return true;
}

bool SerfStateReader::read_list_header(Bytes& chunk, bool map, Stage items) {
  if (!collect_header(chunk, map, items_left_)) return false;
  stage_ = items;
  if (items_left_ == 0) end_pair();
  return true;
}

bool SerfStateReader::read_status(Bytes& chunk, const Calls& calls, void* sink) {
  LamportTime time{};
  std::string_view name;
  if (stage_ == Stage::status_name) {
    if (!collect_text(chunk, name)) return false;
    if (!collect_time(chunk, time)) {
      if (failed_) return false;
      if (!name.empty()) std::memmove(carry_.data(), name.data(), name.size());
      kept_name_bytes_ = name.size();
      stage_ = Stage::status_time;
      return false;
    }
  } else {
    if (!collect_time(chunk, time)) return false;
    name = as_text(Bytes(carry_).first(kept_name_bytes_));
  }
  calls.status(sink, name, time);
  end_item(Stage::status_name);
  return true;
}

bool SerfStateReader::read_slot(Bytes& chunk, const Calls& calls, void* sink) {
  Bytes slot;
  const Item state = collect(chunk, item_room(), slot);
  if (state == Item::incomplete) return false;
  if (state == Item::oversized) {
    ++slots_dropped_;
  } else if (!deliver_slot(slot, calls, sink)) {
    return false;
  }
  end_item(Stage::event_slot);
  return true;
}

// The events stand before their time, so they are read in a second walk.
bool SerfStateReader::deliver_slot(Bytes slot, const Calls& calls, void* sink) {
  Reader in(slot);
  UserEvent event;
  Bytes list;
  msgpack::read_struct<slot_keys>(in, [&](std::size_t field) {
    if (field == 0) {
      event.time = LamportTime{msgpack::read_u64(in)};
    } else {
      list = msgpack::take_value(in);
    }
  });
  if (!in.ok()) return fail(in.error().fault);
  if (list.empty()) return true;

  Reader events(list);
  for (auto left = msgpack::read_array_header(events); left > 0 && events.ok(); --left) {
    Scratch scratch;
    event.name = {};
    event.payload = {};
    msgpack::read_struct<listed_event_keys>(events, [&](std::size_t field) {
      if (field == 0) {
        event.name = msgpack::read_text(events);
      } else {
        event.payload = msgpack::read_bytes(events, scratch);
      }
    });
    if (events.ok()) calls.event(sink, event);
  }
  return events.ok() || fail(events.error().fault);
}

bool SerfStateReader::pass_over_value(Bytes& chunk) {
  Bytes ignored;
  if (collect(chunk, {}, ignored) == Item::incomplete) return false;
  end_pair();
  return true;
}

void SerfStateReader::end_item(Stage next) {
  if (--items_left_ == 0) return end_pair();
  stage_ = next;
}

void SerfStateReader::end_pair() {
  stage_ = --pairs_left_ == 0 ? Stage::done : Stage::key;
}

void SerfStateReader::take(Bytes& chunk, std::size_t count) {
  chunk = chunk.subspan(count);
  offset_ += count;
}

bool SerfStateReader::fail(WireFault fault) {
  failed_ = true;
  error_ = {"serf state", field_, fault, static_cast<std::uint32_t>(item_offset_)};
  return false;
}

void SerfStateWriter::begin(const SerfClocks& clocks, std::size_t slots) {
  out_.u8(static_cast<std::uint8_t>(SerfType::push_pull));
  msgpack::write_map_header(out_, 6);
  msgpack::write_key(out_, "EventLTime");
  msgpack::write_unsigned(out_, to_number(clocks.event));
  msgpack::write_key(out_, "Events");
  msgpack::write_array_header(out_, slots);
}

void SerfStateWriter::empty_slot() {
  msgpack::write_nil(out_);
}

void SerfStateWriter::slot(LamportTime time, std::size_t events) {
  CHECK(slot_events_left_ == 0);
  slot_time_ = time;
  slot_events_left_ = events;
  msgpack::write_map_header(out_, 2);
  msgpack::write_key(out_, "Events");
  msgpack::write_array_header(out_, events);
  if (events == 0) end_slot();
}

void SerfStateWriter::slot_event(std::string_view name, Bytes payload) {
  CHECK(slot_events_left_ > 0);
  msgpack::write_map_header(out_, 2);
  msgpack::write_key(out_, "Name");
  msgpack::write_text(out_, name);
  msgpack::write_key(out_, "Payload");
  msgpack::write_bytes(out_, payload);
  if (--slot_events_left_ == 0) end_slot();
}

void SerfStateWriter::end_slot() {
  msgpack::write_key(out_, "LTime");
  msgpack::write_unsigned(out_, to_number(slot_time_));
}

void SerfStateWriter::left_members(const SerfClocks& clocks, std::size_t count) {
  CHECK(slot_events_left_ == 0);
  msgpack::write_key(out_, "LTime");
  msgpack::write_unsigned(out_, to_number(clocks.member));
  msgpack::write_key(out_, "LeftMembers");
  msgpack::write_array_header(out_, count);
}

void SerfStateWriter::left_member(std::string_view name) {
  msgpack::write_text(out_, name);
}

void SerfStateWriter::statuses(const SerfClocks& clocks, std::size_t count) {
  msgpack::write_key(out_, "QueryLTime");
  msgpack::write_unsigned(out_, to_number(clocks.query));
  msgpack::write_key(out_, "StatusLTimes");
  msgpack::write_map_header(out_, count);
}

void SerfStateWriter::status(std::string_view name, LamportTime time) {
  msgpack::write_text(out_, name);
  msgpack::write_unsigned(out_, to_number(time));
}

}  // namespace starling
