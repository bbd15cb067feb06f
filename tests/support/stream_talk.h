// Streams between a test and a node, or between two nodes, without a network. For tests.
#pragma once

#include <gtest/gtest.h>

#include <vector>

#include "core/stream/inbound.h"
#include "tests/support/lone_node.h"

namespace starling::test {

// A stream that a node accepted, and who dialled it.
inline const StreamId accepted{stream_accepted_bit | 1};
inline const Endpoint dialler{IpAddress::v4(127, 0, 0, 9), 40000};

// Joins two nodes by hand: every operation of one becomes an event of the other. `from` has
// dialled.
inline void exchange(LoneNode& from, LoneNode& to) {
  const std::vector<StreamOp> dialled = from.take_stream_ops();
  ASSERT_EQ(dialled.size(), 1u);
  ASSERT_EQ(dialled[0].kind, StreamOp::Kind::connect);
  const StreamId id = dialled[0].stream;
  to.stream_event(
      {.kind = StreamEvent::Kind::accepted, .stream = accepted, .peer = dialler, .bytes = {}});
  from.stream_event(
      {.kind = StreamEvent::Kind::connected, .stream = id, .peer = dialled[0].to, .bytes = {}});
  for (int i = 0; i < 8; ++i) {
    for (const StreamOp& op : from.take_stream_ops()) {
      if (op.kind != StreamOp::Kind::write) continue;
      to.stream_event({.kind = StreamEvent::Kind::readable,
                       .stream = accepted,
                       .peer = dialler,
                       .bytes = op.bytes});
      from.stream_event(
          {.kind = StreamEvent::Kind::written, .stream = id, .peer = op.to, .bytes = {}});
    }
    for (const StreamOp& op : to.take_stream_ops()) {
      if (op.kind != StreamOp::Kind::write) continue;
      from.stream_event({.kind = StreamEvent::Kind::readable,
                         .stream = id,
                         .peer = dialled[0].to,
                         .bytes = op.bytes});
      to.stream_event(
          {.kind = StreamEvent::Kind::written, .stream = accepted, .peer = dialler, .bytes = {}});
    }
  }
}

}  // namespace starling::test
