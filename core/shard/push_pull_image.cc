#include "core/shard/push_pull_image.h"

#include "core/swim/versions.h"
#include "wire/push_pull.h"
#include "wire/serf_state.h"

namespace starling {

namespace {

// Room kept in front of the nodes for the header, whose length depends on what follows.
constexpr std::size_t header_room_bytes = 64;

// Which members go into a state: all of the list, or ourselves and a stretch of it. The list is
// shuffled at every round of probes, so that a stretch from anywhere is a random sample.
struct Selection {
  bool whole = true;
  std::uint32_t first = 0, count = 0;  // the stretch
  std::uint32_t members = 0;           // that were written
};

// Calls fn(Slot) for each; false stops.
template <class Fn>
void for_each_selected(Node& node, const Selection& selection, Fn&& fn) {
  if (selection.whole) {
    for (const Slot slot : node.peers.all()) {
      if (!fn(slot)) return;
    }
    return;
  }
  std::uint32_t own = 0;
  bool more = true;
  node.hosted.for_each([&](const Hosted& member) {
    if (more && own++ < partial_nodes_max) more = fn(member.slot);
  });
  for (std::uint32_t i = 0; more && i < selection.count; ++i) {
    const Slot slot = node.peers.at((selection.first + i) % node.peers.size());
    if (!node.is_self(slot)) more = fn(slot);
  }
}

void write_node(const Node& node, Slot slot, Writer& out) {
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

// Three fifths of a state for the nodes leave enough for their names and times a second time.
std::size_t nodes_bytes_max(const Node& node) {
  const std::size_t whole = node.cipher.enabled() ? sealed_state_bytes_max : state_bytes_max;
  return whole / 5 * 3;
}

// Writes the selected nodes; what does not fit any more makes the state a partial one.
void write_nodes(Node& node, Selection& selection, Writer& out) {
  const std::size_t bytes_max = nodes_bytes_max(node);
  for_each_selected(node, selection, [&](Slot slot) {
    if (out.size() > bytes_max || selection.members == state_nodes_max) return false;
    write_node(node, slot, out);
    ++selection.members;
    return true;
  });
}

Selection select(Node& node, const StateWish& wish) {
  Selection selection;
  const std::uint32_t members = node.peers.size();
  // An estimate, to be on the safe side of what the largest rows take.
  const std::size_t rows_max = nodes_bytes_max(node) / 256;
  if (wish.partial && members > partial_nodes_max) {
    selection = {.whole = false, .count = partial_nodes_max};
  } else if (members > rows_max) {
    selection = {.whole = false, .count = members};
  }
  if (!selection.whole) selection.first = node.rng.below(members);
  return selection;
}

// Names of left members in a state; a cluster that loses more forgets them sooner.
constexpr std::size_t left_names_max = 32'768;

std::size_t left_names(const Node& node) {
  return std::min(node.serf.left().size(), left_names_max);
}

void write_left(const Node& node, Writer& out) {
  SerfStateWriter state(out);
  for (const Slot slot : node.serf.left().first(left_names(node))) {
    state.left_member(node.members.name(slot));
  }
}

// Serf's members are more than memberlist's: it remembers who left. Of a whole table all are told,
// of a part those that are in it.
template <class Fn>
void for_each_status(Node& node, const Selection& selection, Fn&& fn) {
  if (!selection.whole) {
    std::uint32_t nodes = 0;
    for_each_selected(node, selection, [&](Slot slot) {
      if (nodes++ == selection.members) return false;
      if (node.serf.contains(slot)) fn(slot);
      return true;
    });
    return;
  }
  const auto end = static_cast<std::uint32_t>(node.members.slots_end());
  for (std::uint32_t i = 0; i < end; ++i) {
    const Slot slot{i};
    if (node.members.occupied(slot) && node.serf.contains(slot)) fn(slot);
  }
}

void write_statuses(Node& node, const Selection& selection, Writer& out) {
  SerfStateWriter state(out);
  for_each_status(node, selection, [&](Slot slot) {
    state.status(node.members.name(slot), node.serf.status_time(slot));
  });
}

std::size_t count_statuses(Node& node, const Selection& selection) {
  if (selection.whole) return node.serf.counts().total;
  std::size_t count = 0;
  for_each_status(node, selection, [&](Slot) { ++count; });
  return count;
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

void write_serf_state(Node& node, const Selection* selection, Writer& out) {
  const OtherLanes others(node.gathering);
  const SerfClocks clocks{
      .member = node.member_time(), .event = node.events.time(), .query = node.queries.time()};
  SerfStateWriter state(out);
  state.begin(clocks, node.events.slots());
  node.events.for_each_slot(
      [&](LamportTime time, std::size_t count) { state.slot(time, count); },
      [&] { state.empty_slot(); },
      [&](const EventBuffer::Event& event) { state.slot_event(event.name, event.payload); });
  if (selection == nullptr) {
    state.left_members(clocks, 0);
    state.statuses(clocks, 0);
    return;
  }
  state.left_members(clocks, left_names(node) + others.count(&ImagePart::left_count));
  write_left(node, out);
  others.put(&ImagePart::left, out);
  state.statuses(clocks, count_statuses(node, *selection) + others.count(&ImagePart::status_count));
  write_statuses(node, *selection, out);
  others.put(&ImagePart::statuses, out);
}

}  // namespace

ImagePart write_image_part(Node& node, MutableBytes room) {
  ImagePart part;
  Writer out(room);
  Selection selection = select(node, {});
  write_nodes(node, selection, out);
  const std::size_t nodes_end = out.size();
  write_left(node, out);
  const std::size_t left_end = out.size();
  write_statuses(node, selection, out);
  if (!out.ok()) return part;
  const Bytes all = out.written();
  part.nodes = all.first(nodes_end);
  part.left = all.subspan(nodes_end, left_end - nodes_end);
  part.statuses = all.subspan(left_end);
  part.node_count = selection.members;
  part.left_count = static_cast<std::uint32_t>(left_names(node));
  part.status_count = static_cast<std::uint32_t>(count_statuses(node, selection));
  return part;
}

Bytes build_push_pull(Node& node, const StateWish& wish, MutableBytes room) {
  if (room.size() < header_room_bytes) return {};
  Writer body(room.subspan(header_room_bytes));
  const OtherLanes others(node.gathering);
  Selection selection = select(node, wish);
  std::size_t nodes = 0;
  if (!wish.events_only) {
    write_nodes(node, selection, body);
    others.put(&ImagePart::nodes, body);
    nodes = selection.members + others.count(&ImagePart::node_count);
  }
  const std::size_t nodes_bytes = body.size();
  write_serf_state(node, wish.events_only ? nullptr : &selection, body);
  if (!body.ok()) return {};

  std::array<std::byte, header_room_bytes> header_bytes;
  Writer header(header_bytes);
  encode(PushPullHeader{.nodes = static_cast<std::int64_t>(nodes),
                        .user_state_bytes = static_cast<std::int64_t>(body.size() - nodes_bytes),
                        .join = wish.join,
                        .digests = node.sync.has_value()},
         header, SignedStyle::unsigned_form);
  CHECK(header.ok());
  const std::size_t start = header_room_bytes - header.size();
  std::copy(header.written().begin(), header.written().end(),
            room.begin() + static_cast<std::ptrdiff_t>(start));
  return Bytes(room).subspan(start, header.size() + body.size());
}

}  // namespace starling
