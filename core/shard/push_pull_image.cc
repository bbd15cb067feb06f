#include "core/shard/push_pull_image.h"

#include "core/swim/versions.h"
#include "wire/push_pull.h"
#include "wire/serf_state.h"

namespace starling {

namespace {

// Room kept in front of the nodes for the header, whose length depends on what follows.
constexpr std::size_t header_room_bytes = 64;

void write_nodes(const Node& node, Writer& out) {
  for (const Slot slot : node.peers.all()) {
    const std::array<std::byte, versions_bytes> versions =
        write_versions(node.members.versions(slot));
    const Endpoint& at = node.members.endpoint(slot);
    encode(NodeState{.name = node.members.name(slot),
                     .address = at.address.bytes(),
                     .port = at.port,
                     .meta = node.members.meta(slot),
                     .incarnation = node.members.incarnation(slot),
                     .state = static_cast<std::int64_t>(node.members.state(slot)),
                     .versions = versions},
           out);
  }
}

void write_serf_state(const Node& node, Writer& out) {
  const SerfClocks clocks{.member = node.member_clock.time(),
                          .event = node.events.time(),
                          .query = node.queries.time()};
  SerfStateWriter state(out);
  state.begin(clocks, node.events.slots());
  node.events.for_each_slot(
      [&](LamportTime time, std::size_t count) { state.slot(time, count); },
      [&] { state.empty_slot(); },
      [&](const EventBuffer::Event& event) { state.slot_event(event.name, event.payload); });
  state.left_members(clocks, node.serf.left().size());
  for (const Slot slot : node.serf.left()) state.left_member(node.members.name(slot));
  state.statuses(clocks, node.serf.counts().total);
  const auto end = static_cast<std::uint32_t>(node.members.slots_end());
  for (std::uint32_t i = 0; i < end; ++i) {
    const Slot slot{i};
    if (!node.members.occupied(slot) || !node.serf.contains(slot)) continue;
    state.status(node.members.name(slot), node.serf.status_time(slot));
  }
}

}  // namespace

Bytes build_push_pull(const Node& node, bool join, MutableBytes room) {
  if (room.size() < header_room_bytes) return {};
  Writer body(room.subspan(header_room_bytes));
  write_nodes(node, body);
  const std::size_t nodes_bytes = body.size();
  write_serf_state(node, body);
  if (!body.ok()) return {};

  std::array<std::byte, header_room_bytes> header_bytes;
  Writer header(header_bytes);
  encode(PushPullHeader{.nodes = node.nodes(),
                        .user_state_bytes = static_cast<std::int64_t>(body.size() - nodes_bytes),
                        .join = join},
         header, SignedStyle::unsigned_form);
  CHECK(header.ok());
  const std::size_t start = header_room_bytes - header.size();
  std::copy(header.written().begin(), header.written().end(),
            room.begin() + static_cast<std::ptrdiff_t>(start));
  return Bytes(room).subspan(start, header.size() + body.size());
}

}  // namespace starling
