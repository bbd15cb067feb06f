// The user state of a Serf push/pull, both ways as a stream in bounded memory.
//
// protocol/serf section 7. A state names every member, so it is never held whole: the reader is fed
// chunks of any size and hands each item to a sink, the writer puts item after item. Each is owned
// by one stream's session and used by one thread; nothing allocates.
#pragma once

#include "wire/serf_messages.h"
#include "wire/value_scanner.h"

namespace starling {

inline constexpr std::size_t event_slots = 512;  // ring slots in a push/pull state

struct SerfClocks {
  LamportTime member{}, event{}, query{};
};

// Items arrive in wire order. Go sorts the keys: EventLTime, Events, LTime, LeftMembers,
// QueryLTime, StatusLTimes; another order works too. A key sent twice is delivered twice. Views
// live until the call returns.
template <class Sink>
concept SerfStateSink = requires(Sink sink, LamportTime time, std::string_view name,
                                 const UserEvent& event) {
  sink.on_member_clock(time);
  sink.on_event_clock(time);
  sink.on_query_clock(time);
  sink.on_left_member(name);
  sink.on_status(name, time);
  sink.on_event(event);  // one event of one slot, with the slot's time
};

class SerfStateReader {
 public:
  // Part of the carry that is not for items.
  static constexpr std::size_t small_bytes = 16;

  // `carry` (more than small_bytes) holds an item that a chunk boundary splits; the owner keeps it
  // alive. Its size less small_bytes bounds one item, split or not, so that the result never
  // depends on the boundaries. A larger name is an error. A larger event slot (all events of one
  // Lamport time) is passed over and counted: losing old events must not stop a join.
  explicit SerfStateReader(MutableBytes carry);

  enum class Progress : std::uint8_t { more, done };
  // What follows type byte 2. Takes the whole chunk; bytes after the end are ignored. An error is
  // final and names the offset of the item at fault.
  template <SerfStateSink Sink>
  Decoded<Progress> feed(Bytes chunk, Sink& sink) {
    static constexpr Calls calls{
        [](void* to, LamportTime time) { static_cast<Sink*>(to)->on_member_clock(time); },
        [](void* to, LamportTime time) { static_cast<Sink*>(to)->on_event_clock(time); },
        [](void* to, LamportTime time) { static_cast<Sink*>(to)->on_query_clock(time); },
        [](void* to, std::string_view name) { static_cast<Sink*>(to)->on_left_member(name); },
        [](void* to, std::string_view name, LamportTime time) {
          static_cast<Sink*>(to)->on_status(name, time);
        },
        [](void* to, const UserEvent& event) { static_cast<Sink*>(to)->on_event(event); },
    };
    return feed_to(chunk, calls, &sink);
  }

  std::uint64_t slots_dropped() const { return slots_dropped_; }

 private:
  enum class Stage : std::uint8_t {
    map_header,
    key,
    member_clock,
    event_clock,
    query_clock,
    left_header,
    left_item,
    status_header,
    status_name,
    status_time,
    events_header,
    event_slot,
    skip_value,
    done,
  };
  enum class Item : std::uint8_t { incomplete, ready, oversized };

  // The sink without its type, so that the machine is compiled once.
  struct Calls {
    void (*member_clock)(void*, LamportTime);
    void (*event_clock)(void*, LamportTime);
    void (*query_clock)(void*, LamportTime);
    void (*left_member)(void*, std::string_view);
    void (*status)(void*, std::string_view, LamportTime);
    void (*event)(void*, const UserEvent&);
  };

  Decoded<Progress> feed_to(Bytes chunk, const Calls& calls, void* sink);
  // One step of the machine; false when the chunk is used up.
  bool step(Bytes& chunk, const Calls& calls, void* sink);
  // The next whole value, removed from the front of `chunk`. `room` bounds it and holds it when it
  // is split.
  Item collect(Bytes& chunk, MutableBytes room, Bytes& item);
  MutableBytes item_room() const { return carry_.first(carry_.size() - small_bytes); }
  MutableBytes time_room() const { return carry_.last(small_bytes); }
  // The number that an array or map header announces (nil: 0); false when more bytes are needed.
  bool collect_header(Bytes& chunk, bool map, std::uint64_t& count);
  bool collect_time(Bytes& chunk, LamportTime& time);
  bool collect_text(Bytes& chunk, std::string_view& text);

  bool read_key(Bytes& chunk);
  bool read_clock(Bytes& chunk, const Calls& calls, void* sink);
  bool read_list_header(Bytes& chunk, bool map, Stage items);
  bool read_status(Bytes& chunk, const Calls& calls, void* sink);
  bool read_slot(Bytes& chunk, const Calls& calls, void* sink);
  bool deliver_slot(Bytes slot, const Calls& calls, void* sink);
  bool pass_over_value(Bytes& chunk);
  void end_item(Stage next);
  void end_pair();
  void take(Bytes& chunk, std::size_t count);
  bool fail(WireFault fault);

  MutableBytes carry_;
  ValueScanner scanner_;
  std::size_t held_ = 0;             // bytes of a split value, in its room
  std::size_t kept_name_bytes_ = 0;  // a status's name, at the front, waiting for its time
  std::uint64_t value_bytes_ = 0;
  std::array<std::byte, 5> header_{};
  std::size_t header_bytes_ = 0;
  std::uint64_t offset_ = 0;
  std::uint64_t item_offset_ = 0;
  std::uint64_t pairs_left_ = 0;
  std::uint64_t items_left_ = 0;
  std::uint64_t slots_dropped_ = 0;
  const char* field_ = "";
  Stage stage_ = Stage::map_header;
  bool failed_ = false;
  WireError error_;
};

// Writes the same state piece by piece: begin, every event slot in order, the left members, the
// statuses, with the counts announced. Put it in front of a Writer that is large enough, or drain
// the Writer between calls.
class SerfStateWriter {
 public:
  explicit SerfStateWriter(Writer& out) : out_(out) {}
  // Type byte, map header, EventLTime and the header of `slots` event slots.
  void begin(const SerfClocks& clocks, std::size_t slots);
  void empty_slot();
  void slot(LamportTime time, std::size_t events);  // followed by `events` calls of slot_event
  void slot_event(std::string_view name, Bytes payload);
  void left_members(const SerfClocks& clocks, std::size_t count);  // LTime, then the list header
  void left_member(std::string_view name);
  void statuses(const SerfClocks& clocks, std::size_t count);  // QueryLTime, then the map header
  void status(std::string_view name, LamportTime time);

 private:
  void end_slot();

  Writer& out_;
  LamportTime slot_time_{};
  std::size_t slot_events_left_ = 0;
};

}  // namespace starling
