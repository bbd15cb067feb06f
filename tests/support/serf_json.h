// Serf messages as JSON, in the form that the recorded vectors use. For tests only.
#pragma once

#include <nlohmann/json.hpp>

#include "tests/support/vectors.h"
#include "wire/serf_state.h"

namespace starling::test {

// A message (type byte first, not the push/pull state) as {"type": N, fields...}: byte strings as
// hexadecimal text, empty ones as null. An undecodable message gives {"error": text}.
nlohmann::json serf_json(Bytes message);
// The recorded form of such a message, brought to the same shape.
nlohmann::json recorded_serf_json(nlohmann::json recorded);
// Decodes and encodes again.
ByteVector reencode_serf(Bytes message, SignedStyle style);

nlohmann::json tags_json(Bytes meta);
nlohmann::json coordinate_json(const Coordinate& coordinate);

// Collects a push/pull state as JSON; the events are a flat list.
class StateCollector {
 public:
  void on_member_clock(LamportTime time) { state_["LTime"] = to_number(time); }
  void on_event_clock(LamportTime time) { state_["EventLTime"] = to_number(time); }
  void on_query_clock(LamportTime time) { state_["QueryLTime"] = to_number(time); }
  void on_left_member(std::string_view name) { state_["LeftMembers"].push_back(name); }
  void on_status(std::string_view name, LamportTime time) {
    state_["StatusLTimes"][std::string(name)] = to_number(time);
  }
  void on_event(const UserEvent& event);
  const nlohmann::json& state() const { return state_; }

 private:
  nlohmann::json state_{{"LTime", 0},
                        {"EventLTime", 0},
                        {"QueryLTime", 0},
                        {"LeftMembers", nlohmann::json::array()},
                        {"StatusLTimes", nlohmann::json::object()},
                        {"Events", nlohmann::json::array()}};
};

}  // namespace starling::test
