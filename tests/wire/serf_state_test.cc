#include "wire/serf_state.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/support/alloc_counter.h"
#include "tests/support/serf_json.h"

namespace starling {
namespace {

using nlohmann::json;
using test::ByteVector;
using test::from_hex;
using test::load_vectors;
using test::StateCollector;
using test::to_hex;

constexpr std::size_t carry_bytes = 1024;

struct Outcome {
  json state;
  bool done = false;
  std::string error;
  std::uint64_t error_offset = 0;
  std::uint64_t dropped = 0;
  friend bool operator==(const Outcome&, const Outcome&) = default;
  friend void PrintTo(const Outcome& outcome, std::ostream* to) {
    *to << outcome.state.dump() << " done " << outcome.done << " error '" << outcome.error
        << "' at " << outcome.error_offset << " dropped " << outcome.dropped;
  }
};

// Reads `body` in pieces: next_size() says how large the next one is.
template <class NextSize>
Outcome read_in_pieces(Bytes body, NextSize&& next_size, std::size_t carry_size = carry_bytes) {
  ByteVector carry(carry_size);
  SerfStateReader reader(carry);
  StateCollector collector;
  Outcome outcome;
  while (!body.empty() && outcome.error.empty()) {
    // A piece of its own, so that a view into an earlier piece would be noticed by ASan.
    const ByteVector piece = test::to_vector(body.first(std::min(body.size(), next_size())));
    body = body.subspan(piece.size());
    const auto progress = reader.feed(piece, collector);
    if (progress) {
      outcome.done = *progress == SerfStateReader::Progress::done;
    } else {
      outcome.error = std::string(to_text(progress.error().fault)) + " " + progress.error().field;
      outcome.error_offset = progress.error().offset;
    }
  }
  outcome.state = collector.state();
  outcome.dropped = reader.slots_dropped();
  return outcome;
}

Outcome read_whole(Bytes body, std::size_t carry_size = carry_bytes) {
  return read_in_pieces(
      body, [] { return SIZE_MAX; }, carry_size);
}

void expect_same_in_any_pieces(Bytes body, std::size_t carry_size = carry_bytes) {
  const Outcome whole = read_whole(body, carry_size);
  for (const std::size_t size : {1u, 2u, 3u, 5u, 17u, 100u}) {
    EXPECT_EQ(read_in_pieces(
                  body, [&] { return size; }, carry_size),
              whole)
        << size;
  }
  std::mt19937 random(static_cast<unsigned>(body.size()));
  for (int round = 0; round < 20; ++round) {
    EXPECT_EQ(read_in_pieces(
                  body, [&] { return std::size_t{1} + random() % 40; }, carry_size),
              whole);
  }
}

// The recorded state in the collector's shape.
json flat_events(const json& slots) {
  json events = json::array();
  for (const json& slot : slots) {
    if (slot.is_null()) continue;
    for (const json& event : slot["Events"]) {
      json payload;
      if (event.contains("Payload_hex")) payload = event["Payload_hex"];
      if (event.contains("Payload") && event["Payload"].is_string()) {
        payload = to_hex(as_bytes(event["Payload"].get<std::string>()));
      }
      events.push_back({{"LTime", slot["LTime"]}, {"Name", event["Name"]}, {"Payload", payload}});
    }
  }
  return events;
}

json recorded_state(const json& decoded) {
  json state;
  for (const char* key : {"LTime", "EventLTime", "QueryLTime", "LeftMembers", "StatusLTimes"}) {
    state[key] = decoded[key];
  }
  json slots = json::array();
  if (decoded.contains("Events_non_nil")) {
    for (const auto& [index, slot] : decoded["Events_non_nil"].items()) slots.push_back(slot);
  } else if (decoded["Events"].is_array()) {
    slots = decoded["Events"];
  }
  state["Events"] = flat_events(slots);
  return state;
}

TEST(SerfState, reads_every_recording_in_any_pieces) {
  std::size_t checked = 0;
  const auto check = [&](const std::string& hex, const json& decoded) {
    const auto bytes = from_hex(hex);
    const Bytes body = Bytes(bytes).subspan(1);
    const Outcome outcome = read_whole(body);
    EXPECT_TRUE(outcome.done);
    EXPECT_EQ(outcome.error, "");
    EXPECT_EQ(outcome.state, recorded_state(decoded));
    expect_same_in_any_pieces(body);
    ++checked;
  };
  for (const auto& vector : load_vectors("serf.json")["message_bodies"]) {
    if (vector["decoded"].contains("type") && vector["decoded"]["type"] == 2) {
      check(vector["hex"], vector["decoded"]);
    }
  }
  for (const auto& vector : load_vectors("serf.json")["live_pushpull_user_state"]) {
    check(vector["user_state_hex"], vector["decoded"]);
  }
  EXPECT_EQ(checked, 6u);
}

// Plays a recording back through the writer.
class Replay {
 public:
  explicit Replay(SerfStateWriter& writer) : writer_(writer) {}
  void on_member_clock(LamportTime time) { clocks_.member = time; }
  void on_event_clock(LamportTime time) { clocks_.event = time; }
  void on_query_clock(LamportTime time) { clocks_.query = time; }
  void on_left_member(std::string_view name) { left_.emplace_back(name); }
  void on_status(std::string_view name, LamportTime time) { statuses_.emplace_back(name, time); }
  void on_event(const UserEvent& event) {
    slots_[to_number(event.time) % event_slots].push_back(
        {event.time, std::string(event.name), test::to_vector(event.payload)});
  }
  void write() {
    writer_.begin(clocks_, event_slots);
    for (const auto& slot : slots_) {
      if (slot.empty()) {
        writer_.empty_slot();
        continue;
      }
      writer_.slot(slot[0].time, slot.size());
      for (const auto& event : slot) writer_.slot_event(event.name, event.payload);
    }
    writer_.left_members(clocks_, left_.size());
    for (const auto& name : left_) writer_.left_member(name);
    writer_.statuses(clocks_, statuses_.size());
    for (const auto& [name, time] : statuses_) writer_.status(name, time);
  }

 private:
  struct Event {
    LamportTime time;
    std::string name;
    ByteVector payload;
  };
  SerfStateWriter& writer_;
  SerfClocks clocks_;
  std::vector<std::string> left_;
  std::vector<std::pair<std::string, LamportTime>> statuses_;
  std::array<std::vector<Event>, event_slots> slots_;
};

TEST(SerfState, writes_the_live_recordings_byte_for_byte) {
  for (const auto& vector : load_vectors("serf.json")["live_pushpull_user_state"]) {
    const auto bytes = from_hex(vector["user_state_hex"].get<std::string>());
    ByteVector room(4096);
    Writer out(room);
    SerfStateWriter writer(out);
    Replay replay(writer);
    ByteVector carry(carry_bytes);
    SerfStateReader reader(carry);
    ASSERT_TRUE(reader.feed(Bytes(bytes).subspan(1), replay));
    replay.write();
    EXPECT_EQ(to_hex(out.written()), to_hex(bytes));
  }
}

TEST(SerfState, keys_may_come_in_any_order_with_strangers_between) {
  // {"StatusLTimes": {"a": 7}, "New": [{1: [2, "x"]}, ext], "LeftMembers": ["b"], "LTime": 9,
  //  "Events": [{"LTime": 3, "Zzz": {}, "Events": [{"Payload": "p", "Name": "n"}]}]}
  const auto body = from_hex(
      "85ac5374617475734c54696d657381a16107a34e65779281019202a178d501aabbab4c6566744d656d6265727391"
      "a162a54c54696d6509a64576656e74739183a54c54696d6503a35a7a7a80a64576656e74739182a75061796c6f61"
      "64a170a44e616d65a16e");
  const Outcome outcome = read_whole(body);
  EXPECT_TRUE(outcome.done);
  EXPECT_EQ(outcome.state["StatusLTimes"]["a"], 7);
  EXPECT_EQ(outcome.state["LeftMembers"], json::array({"b"}));
  EXPECT_EQ(outcome.state["LTime"], 9);
  EXPECT_EQ(outcome.state["Events"][0], (json{{"LTime", 3}, {"Name", "n"}, {"Payload", "70"}}));
  expect_same_in_any_pieces(body);
}

TEST(SerfState, empty_nil_and_missing_parts_are_nothing) {
  for (const char* hex : {"80", "c0", "81ab4c6566744d656d62657273c0", "81a64576656e747390",
                          "81ac5374617475734c54696d6573de0000"}) {
    const Outcome outcome = read_whole(from_hex(hex));
    EXPECT_TRUE(outcome.done) << hex;
    EXPECT_EQ(outcome.state, StateCollector().state()) << hex;
    expect_same_in_any_pieces(from_hex(hex));
  }
}

TEST(SerfState, wrong_kinds_are_errors_in_any_pieces) {
  for (const char* hex : {
           "05",                                                      // no map
           "81a54c54696d65a161",                                      // a clock that is text
           "81a54c54696d65ff",                                        // a negative clock
           "81a54c54696d65dc00110102030405060708090a0b0c0d0e0f1011",  // a clock that is a long
                                                                      // array
           "81ab4c6566744d656d6265727381a161",                        // a map of left members
           "81ab4c6566744d656d626572739105",                          // a number as a name
           "81ac5374617475734c54696d657391a1",                        // an array of statuses
           "81ac5374617475734c54696d657381a161a162",
           "81a64576656e74739105",  // a slot that is a number
           "81a64576656e747391c1",  // a byte that no encoder writes
           "8105c0",                // a key that is a number
           "81a64576656e74739181a64576656e747305",
       }) {
    const auto body = from_hex(hex);
    EXPECT_NE(read_whole(body).error, "") << hex;
    expect_same_in_any_pieces(body);
  }
}

TEST(SerfState, an_error_is_final) {
  ByteVector carry(carry_bytes);
  SerfStateReader reader(carry);
  StateCollector collector;
  EXPECT_FALSE(reader.feed(from_hex("05"), collector));
  EXPECT_FALSE(reader.feed(from_hex("80"), collector));
}

TEST(SerfState, deep_nesting_is_refused_without_recursion) {
  ByteVector body = from_hex("81a14e");
  body.insert(body.end(), 100000, std::byte{0x91});
  EXPECT_EQ(read_whole(body).error, "too deeply nested ");
}

TEST(SerfState, announced_counts_cost_nothing) {
  const auto body = from_hex("81ac5374617475734c54696d6573dfffffffffa16105");
  const Outcome outcome = read_whole(body);
  EXPECT_FALSE(outcome.done);
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.state["StatusLTimes"]["a"], 5);
}

ByteVector state_with(std::string_view long_name, std::size_t slot_payload) {
  ByteVector room(8192);
  Writer out(room);
  SerfStateWriter writer(out);
  const SerfClocks clocks{LamportTime{300}, LamportTime{2}, LamportTime{3}};
  writer.begin(clocks, 3);
  writer.slot(LamportTime{1}, 1);
  writer.slot_event("large", ByteVector(slot_payload, std::byte{7}));
  writer.slot(LamportTime{2}, 0);
  writer.slot(LamportTime{3}, 1);
  writer.slot_event("small", {});
  writer.left_members(clocks, 0);
  writer.statuses(clocks, 2);
  writer.status(long_name, LamportTime{0x123456789abcdef0});
  writer.status("b", LamportTime{5});
  EXPECT_TRUE(out.ok());
  return test::to_vector(out.written().subspan(1));
}

TEST(SerfState, items_of_every_size_around_the_carry) {
  constexpr std::size_t carry_size = 200;
  for (std::size_t size = 100; size < 260; ++size) {
    const auto long_name = state_with(std::string(size, 'n'), 10);
    const Outcome name = read_whole(long_name, carry_size);
    EXPECT_EQ(name.error.empty(), size + 3 <= carry_size - SerfStateReader::small_bytes) << size;
    expect_same_in_any_pieces(long_name, carry_size);

    const auto large_slot = state_with("n", size);
    const Outcome slot = read_whole(large_slot, carry_size);
    EXPECT_EQ(slot.error, "");
    EXPECT_TRUE(slot.done);
    EXPECT_EQ(slot.state["Events"].size() + slot.dropped, 2u) << size;
    EXPECT_EQ(slot.state["StatusLTimes"].size(), 2u);
    expect_same_in_any_pieces(large_slot, carry_size);
  }
}

// A million statuses pass through a carry of 1 KiB.
TEST(SerfState, a_million_members_need_no_more_memory) {
  class Counter {
   public:
    void on_member_clock(LamportTime) {}
    void on_event_clock(LamportTime) {}
    void on_query_clock(LamportTime) {}
    void on_left_member(std::string_view) {}
    void on_status(std::string_view name, LamportTime time) {
      sum += name.size() + to_number(time);
      ++count;
    }
    void on_event(const UserEvent&) {}
    std::uint64_t sum = 0;
    std::uint64_t count = 0;
  };
  constexpr std::size_t members = 1'000'000;
  std::array<std::byte, 4096> room;
  std::array<std::byte, carry_bytes> carry;
  SerfStateReader reader(carry);
  Counter counter;
  const test::AllocationCounter allocations;
  Writer out(room);
  SerfStateWriter writer(out);
  writer.begin({}, event_slots);
  for (std::size_t i = 0; i < event_slots; ++i) writer.empty_slot();
  writer.left_members({}, 0);
  writer.statuses({}, members);
  Decoded<SerfStateReader::Progress> progress = reader.feed(out.written().subspan(1), counter);
  for (std::size_t i = 0; i < members && progress; ++i) {
    if (i % 100 == 0) out.rewind(0);
    writer.status("some-member-name", LamportTime{i});
    if (i % 100 == 99) progress = reader.feed(out.written(), counter);
  }
  ASSERT_TRUE(progress);
  EXPECT_EQ(*progress, SerfStateReader::Progress::done);
  EXPECT_EQ(counter.count, members);
  EXPECT_EQ(counter.sum, members * 16 + members * (members - 1) / 2);
  EXPECT_EQ(allocations.count(), 0u);
}

}  // namespace
}  // namespace starling
