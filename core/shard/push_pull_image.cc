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

void write_left(const Node& node, Writer& out) {
  SerfStateWriter state(out);
  for (const Slot slot : node.serf.left()) state.left_member(node.members.name(slot));
}

void write_statuses(const Node& node, Writer& out) {
  SerfStateWriter state(out);
  const auto end = static_cast<std::uint32_t>(node.members.slots_end());
  for (std::uint32_t i = 0; i < end; ++i) {
    const Slot slot{i};
    if (!node.members.occupied(slot) || !node.serf.contains(slot)) continue;
    state.status(node.members.name(slot), node.serf.status_time(slot));
  }
}

// What the other lanes have given.
struct OtherLanes {
  explicit OtherLanes(const ImageGathering& gathering) : parts(gathering.parts) {}
  std::size_t count(std::uint32_t ImagePart::*which) const {
    std::size_t sum = 0;
    for (const ImagePart& part : parts) sum += part.*which;
    return sum;
  }
  void put(Bytes ImagePart::*which, Writer& out) const {
    for (const ImagePart& part : parts) out.put(part.*which);
  }
  std::span<const ImagePart> parts;
};

void write_serf_state(const Node& node, LamportTime member_time, Writer& out) {
  const OtherLanes others(node.gathering);
  const SerfClocks clocks{
      .member = member_time, .event = node.events.time(), .query = node.queries.time()};
  SerfStateWriter state(out);
  state.begin(clocks, node.events.slots());
  node.events.for_each_slot(
      [&](LamportTime time, std::size_t count) { state.slot(time, count); },
      [&] { state.empty_slot(); },
      [&](const EventBuffer::Event& event) { state.slot_event(event.name, event.payload); });
  state.left_members(clocks, node.serf.left().size() + others.count(&ImagePart::left_count));
  write_left(node, out);
  others.put(&ImagePart::left, out);
  state.statuses(clocks, node.serf.counts().total + others.count(&ImagePart::status_count));
  write_statuses(node, out);
  others.put(&ImagePart::statuses, out);
}

}  // namespace

ImagePart write_image_part(const Node& node, MutableBytes room) {
  ImagePart part;
  Writer out(room);
  write_nodes(node, out);
  const std::size_t nodes_end = out.size();
  write_left(node, out);
  const std::size_t left_end = out.size();
  write_statuses(node, out);
  if (!out.ok()) return part;
  const Bytes all = out.written();
  part.nodes = all.first(nodes_end);
  part.left = all.subspan(nodes_end, left_end - nodes_end);
  part.statuses = all.subspan(left_end);
  part.node_count = node.peers.size();
  part.left_count = static_cast<std::uint32_t>(node.serf.left().size());
  part.status_count = node.serf.counts().total;
  return part;
}

Bytes build_push_pull(Node& node, bool join, MutableBytes room) {
  if (room.size() < header_room_bytes) return {};
  Writer body(room.subspan(header_room_bytes));
  const OtherLanes others(node.gathering);
  write_nodes(node, body);
  others.put(&ImagePart::nodes, body);
  const std::size_t nodes_bytes = body.size();
  write_serf_state(node, node.member_time(), body);
  if (!body.ok()) return {};

  std::array<std::byte, header_room_bytes> header_bytes;
  Writer header(header_bytes);
  encode(PushPullHeader{.nodes = static_cast<std::int64_t>(node.peers.size() +
                                                           others.count(&ImagePart::node_count)),
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
