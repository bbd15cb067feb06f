#include "agent/decode/serf_json.h"

#include <gtest/gtest.h>

#include "wire/serf_state.h"

namespace starling::agent::decode {
namespace {

template <class Write>
std::vector<std::byte> written(Write write) {
  std::vector<std::byte> room(16'384);
  Writer out(room);
  write(out);
  EXPECT_TRUE(out.ok());
  room.resize(out.size());
  return room;
}

Query small_query() {
  Query query;
  query.time = LamportTime{7};
  query.id = 9;
  query.name = "uptime";
  query.timeout_ns = 15;
  return query;
}

TEST(SerfJson, IntentsAndEvents) {
  const auto join =
      written([](Writer& out) { encode(JoinIntent{.time = LamportTime{3}, .node = "a"}, out); });
  EXPECT_EQ(user_payload_json(join).value()["serf"].dump(),
            R"({"type":"join","LTime":3,"Node":"a"})");
  const auto event = written([](Writer& out) {
    encode(UserEvent{.time = LamportTime{4}, .name = "deploy", .payload = as_bytes("v2")}, out);
  });
  EXPECT_EQ(user_payload_json(event).value()["serf"]["Payload"]["text"], "v2");
}

TEST(SerfJson, QueryWithItsFilters) {
  const auto filter =
      written([](Writer& out) { encode_tag_filter({.tag = "role", .expression = "^web"}, out); });
  const auto list = written([&](Writer& out) { msgpack::write_bytes(out, filter); });
  Query query = small_query();
  query.filters = BytesList(list, 1);
  const auto message = written([&](Writer& out) { encode(query, out, SignedStyle::signed_form); });
  const Json described = user_payload_json(message).value()["serf"];
  EXPECT_EQ(described["type"], "query");
  EXPECT_EQ(described["Filters"].dump(), R"([{"type":"tag","Tag":"role","Expr":"^web"}])");
}

TEST(SerfJson, RelaysShowWhatIsInsideAndEnd) {
  const auto inner = written([](Writer& out) {
    encode(QueryResponse{.time = LamportTime{7}, .id = 9, .from = "b"}, out);
  });
  const auto relay = [](Bytes content) {
    return written([&](Writer& out) {
      encode_relay_header({.address = as_bytes("\x0a\x01\x01\x01"), .port = 7946, .node = "c"}, out,
                          SignedStyle::signed_form);
      out.put(content);
    });
  };
  auto message = relay(inner);
  const Json described = user_payload_json(message).value()["serf"];
  EXPECT_EQ(described["DestAddr"]["IP"], "10.1.1.1");
  EXPECT_EQ(described["inner"]["type"], "queryResponse");
  for (int i = 0; i < 10; ++i) message = relay(message);
  EXPECT_EQ(user_payload_json(message).error().fault, WireFault::too_deep);
}

TEST(SerfJson, OnlyWhatCanBeSerfIsAFault) {
  EXPECT_EQ(user_payload_json(as_bytes("\x03")).value()["hex"], "03");
  const auto broken = user_payload_json(as_bytes("\x01\x82\xa5LTime"));
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().fault, WireFault::truncated);
}

TEST(SerfJson, MetaAsTags) {
  const std::array<Tag, 1> tags{{{"role", "web"}}};
  const auto meta = written([&](Writer& out) { encode_meta(tags, out); });
  EXPECT_EQ(meta_json(meta).value()["tags"].dump(), R"({"role":"web"})");
  EXPECT_EQ(meta_json(as_bytes("db")).value()["text"], "db");
  EXPECT_FALSE(meta_json(Bytes(meta).first(meta.size() - 1)));
}

TEST(SerfJson, AckPayloadAsCoordinate) {
  const auto payload = written([](Writer& out) { encode_ping_payload(Coordinate{}, out); });
  EXPECT_EQ(ack_payload_json(payload).value()["coordinate"]["Vec"].size(), 8U);
  EXPECT_FALSE(ack_payload_json(Bytes(payload).first(20)));
  EXPECT_EQ(ack_payload_json(as_bytes("xyz")).value()["text"], "xyz");
}

TEST(SerfJson, StateListsSlotsAndCountsEmptyOnes) {
  const SerfClocks clocks{LamportTime{5}, LamportTime{6}, LamportTime{7}};
  const auto state = written([&](Writer& out) {
    SerfStateWriter writer(out);
    writer.begin(clocks, 3);
    writer.empty_slot();
    writer.slot(LamportTime{4}, 1);
    writer.slot_event("deploy", as_bytes("v1"));
    writer.empty_slot();
    writer.left_members(clocks, 1);
    writer.left_member("gone");
    writer.statuses(clocks, 1);
    writer.status("a", LamportTime{2});
  });
  EXPECT_EQ(user_state_json(state).value()["serf"].dump(),
            R"({"type":"pushPull","LTime":5,"EventLTime":6,"QueryLTime":7,"LeftMembers":["gone"],)"
            R"("StatusLTimes":{"a":2},"slots":3,"empty_slots":2,"Events":[{"LTime":4,"Events":)"
            R"([{"Name":"deploy","Payload":{"bytes":2,"text":"v1"}}],"slot":1}]})");
  const auto cut = user_state_json(Bytes(state).first(state.size() - 1));
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().fault, WireFault::truncated);
}

}  // namespace
}  // namespace starling::agent::decode
