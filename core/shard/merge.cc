#include "core/shard/merge.h"

#include "core/shard/apply_alive.h"
#include "core/shard/apply_dead.h"
#include "core/shard/apply_suspect.h"
#include "core/shard/route.h"
#include "core/shard/serf_turn.h"
#include "core/swim/rules.h"

namespace starling {

bool MergeSink::on_push_pull_header(const PushPullHeader& header) {
  session_.message = Session::Message::push_pull;
  session_.header = header;
  session_.epoch = ++node_.merge_epoch;
  for (const Slot slot : node_.peers.all()) {
    session_.versions.add_local(node_.members.state(slot), node_.members.versions(slot));
  }
  if (!node_.alone()) node_.view->add_versions(session_.versions);
  return true;
}

// The members of a state lie anywhere in a large table: their rows are fetched side by side.
void MergeSink::expect_nodes(std::span<const NodeState> nodes) {
  std::array<NameHash, nodes_ahead_max> hashes;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    hashes[i] = hash_name(nodes[i].name);
    node_.members.prefetch(hashes[i]);
  }
  for (const NameHash hash : std::span(hashes).first(nodes.size())) {
    node_.members.prefetch_name(hash);
  }
}

bool MergeSink::on_node(const NodeState& state) {
  session_.versions.add_remote(state.state, state.versions);
  if (!session_.versions.compatible()) session_.merge_refused = true;
  if (session_.merge_refused) return true;
  ++session_.nodes_merged;
  if (!node_.owns(hash_name(state.name))) {
    pass_on(state);
    return true;
  }
  switch (merge_action(state.state)) {
    case MergeAction::ignore:
      break;
    case MergeAction::alive:
      apply_alive(node_, now_,
                  {.incarnation = state.incarnation,
                   .node = state.name,
                   .address = state.address,
                   .port = state.port,
                   .meta = state.meta,
                   .versions = state.versions},
                  {});
      break;
    case MergeAction::suspect:
      apply_suspect(
          node_, now_,
          {.incarnation = state.incarnation, .node = state.name, .from = node_.speaker_name()});
      break;
    case MergeAction::left:
      apply_dead(node_, now_,
                 {.incarnation = state.incarnation, .node = state.name, .from = state.name}, 0);
      break;
  }
  return true;
}

// The same statements as below, as messages for the lane that owns the member.
void MergeSink::pass_on(const NodeState& state) {
  std::array<std::byte, 4096> room;
  Writer out(room);
  switch (merge_action(state.state)) {
    case MergeAction::ignore:
      return;
    case MergeAction::alive:
      encode(Alive{.incarnation = state.incarnation,
                   .node = state.name,
                   .address = state.address,
                   .port = state.port,
                   .meta = state.meta,
                   .versions = state.versions},
             out);
      break;
    case MergeAction::suspect:
      encode(
          Suspect{
              .incarnation = state.incarnation, .node = state.name, .from = node_.speaker_name()},
          out);
      break;
    case MergeAction::left:
      encode(Dead{.incarnation = state.incarnation, .node = state.name, .from = state.name}, out);
      break;
  }
  if (!out.ok()) {
    ++node_.counters.messages_dropped;
    return;
  }
  post(node_, node_.buckets.owner(hash_name(state.name)),
       {.kind = MailKind::merged, .bytes = out.written()});
}

bool MergeSink::on_user_state(Bytes part) {
  if (part.empty() || session_.state_broken || session_.merge_refused) return true;
  if (!session_.state_started) {
    session_.state_started = true;
    if (part.front() != std::byte{static_cast<std::uint8_t>(SerfType::push_pull)}) {
      session_.state_broken = true;
      return true;
    }
    part = part.subspan(1);
    if (part.empty()) return true;
  }
  const auto progress = session_.state.feed(part, *this);
  if (!progress) {
    session_.state_broken = true;
    ++node_.counters.messages_dropped;
    node_.report.trace(now_, TraceKind::message_dropped,
                       {.endpoint = session_.peer, .error = progress.error()}, node_.counters);
  }
  return true;
}

bool MergeSink::on_user_message_header(const UserHeader&) {
  session_.message = Session::Message::user;
  return true;
}

// Serf sends nothing this way: a user message on a stream is read to its end and dropped.
bool MergeSink::on_user_bytes(Bytes) {
  return true;
}

bool MergeSink::on_ping(const Ping& ping) {
  if (session_.kind != Session::Kind::inbound) return false;
  if (!ping.node.empty() && node_.hosted.find(ping.node) == nullptr) return false;
  session_.message = Session::Message::ping;
  session_.ping_sequence = ping.sequence;
  return true;
}

bool MergeSink::on_ack(const Ack& ack) {
  if (session_.kind != Session::Kind::ping || ack.sequence != session_.ping_sequence) return false;
  session_.message = Session::Message::ack;
  return true;
}

bool MergeSink::on_error_message(const ErrorMessage& message) {
  session_.message = Session::Message::error;
  session_.error_bytes = message.text.copy(session_.error_text.data(), session_.error_text.size());
  return true;
}

void MergeSink::on_member_clock(LamportTime time) {
  node_.member_clock.witness_clock(time);
}

void MergeSink::on_event_clock(LamportTime time) {
  node_.events.witness_clock(time);
  if (session_.dial.ignore_old) node_.events.raise_minimum(time);
}

void MergeSink::on_query_clock(LamportTime time) {
  node_.queries.witness_clock(time);
}

void MergeSink::on_left_member(std::string_view name) {
  const NameHash hash = hash_name(name);
  if (node_.owns(hash)) return list_as_left(node_, session_.epoch, name, hash);
  if (name.size() > node_.options.capacity.name_bytes_max) return;
  post(node_, node_.buckets.owner(hash),
       {.kind = MailKind::left_listed, .number = session_.epoch, .name = name});
}

void MergeSink::on_status(std::string_view name, LamportTime time) {
  if (name.size() > node_.options.capacity.name_bytes_max) return;
  const NameHash hash = hash_name(name);
  if (node_.owns(hash)) return apply_listed_status(node_, now_, session_.epoch, {name, hash, time});
  post(node_, node_.buckets.owner(hash),
       {.kind = MailKind::status_listed,
        .number = session_.epoch,
        .token = to_number(time),
        .name = name});
}

void list_as_left(Node& node, std::uint32_t epoch, std::string_view name, NameHash hash) {
  const std::optional<Slot> slot = node.members.find(hash, name);
  if (slot) {
    node.left_in_merge[index_of(*slot)] = epoch;
  } else {
    node.left_unknown.add(epoch, hash);
  }
}

void apply_listed_status(Node& node, Instant now, std::uint32_t epoch, const ListedStatus& status) {
  const std::optional<Slot> slot = node.members.find(status.hash, status.name);
  const bool left = slot ? node.left_in_merge[index_of(*slot)] == epoch
                         : node.left_unknown.contains(epoch, status.hash);
  if (!left) {
    apply_join_intent(node, now, {.time = status.time, .node = status.name});
    return;
  }
  const LamportTime after{to_number(status.time) + 1};
  apply_leave_intent(node, now, {.time = after, .node = status.name, .prune = false});
}

void MergeSink::on_event(const UserEvent& event) {
  apply_user_event(node_, now_, {.time = event.time, .name = event.name, .payload = event.payload});
}

}  // namespace starling
