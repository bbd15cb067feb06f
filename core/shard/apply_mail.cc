#include "core/shard/apply_mail.h"

#include "core/shard/apply_alive.h"
#include "core/shard/apply_command.h"
#include "core/shard/apply_dead.h"
#include "core/shard/apply_packet.h"
#include "core/shard/apply_suspect.h"
#include "core/shard/coordinates.h"
#include "core/shard/event_repair.h"
#include "core/shard/gossip_turn.h"
#include "core/shard/hosting.h"
#include "core/shard/image_gather.h"
#include "core/shard/leave.h"
#include "core/shard/merge.h"
#include "core/shard/probe_turn.h"
#include "core/shard/query_turn.h"
#include "core/shard/rekey.h"
#include "core/shard/route.h"
#include "core/shard/serf_turn.h"
#include "core/shard/stream_turn.h"
#include "core/shard/sync_lanes.h"
#include "core/shard/sync_turn.h"

namespace starling {

namespace {

// Records taken from each sender between two looks at the room for packets, and how often in a
// turn: a burst of packets makes no more than that.
constexpr std::size_t mails_at_once = 32;
constexpr int helpings_per_turn = 8;

void apply_merged(Node& node, Instant now, Bytes message) {
  const Bytes body = message.subspan(1);
  Scratch& scratch = node.decode_scratch;
  scratch.reset();
  switch (static_cast<MessageType>(message.front())) {
    case MessageType::alive:
      if (const auto alive = decode_alive(body, scratch)) apply_alive(node, now, *alive, {});
      return;
    case MessageType::suspect:
      if (const auto suspect = decode_suspect(body, scratch)) apply_suspect(node, now, *suspect);
      return;
    case MessageType::dead:
      if (const auto dead = decode_dead(body, scratch)) apply_dead(node, now, *dead, 0);
      return;
    default:
      return;
  }
}

// The hosted member that a record names; nullptr when its place has been used again since.
Hosted* hosted_of(Node& node, const Mail& mail, std::uint64_t generation) {
  const std::uint32_t place = to_number(mail.hosted);
  if (place >= node.hosted.end()) return nullptr;
  Hosted& member = node.hosted.at(place);
  return member.used && member.generation == generation ? &member : nullptr;
}

// Its home decides whether the member may come; the others take note of its name.
void take_in(Node& node, Instant now, const Mail& mail) {
  const HostedView view{mail.name, mail.endpoint, mail.bytes};
  const HostProblem problem = host_at(node, now, mail.hosted, view);
  if (problem == HostProblem::none) {
    node.hosted.at(to_number(mail.hosted)).generation = static_cast<std::uint32_t>(mail.number);
  } else {
    post_all(node, {.kind = MailKind::unhosted, .hosted = mail.hosted, .number = mail.number});
  }
  if (mail.kind == MailKind::host) answer_host(node, now, mail.token, problem);
}

void set_stage(Node& node, Instant now, const Mail& mail) {
  Hosted* const member = hosted_of(node, mail, mail.token);
  if (member == nullptr) return;
  member->leave = static_cast<LeaveStage>(mail.number);
  if (member->leave == LeaveStage::left) member_has_left(node, now);
}

void send_stats(Node& node, ShardId to, std::uint64_t token) {
  const Stats stats = stats_of(node);
  post(node, to,
       {.kind = MailKind::stats,
        .token = token,
        .bytes = Bytes(reinterpret_cast<const std::byte*>(&stats), sizeof stats)});
}

void apply_mail(Node& node, Instant now, ShardId from, const Mail& mail) {
  switch (mail.kind) {
    case MailKind::bundle: {
      std::array<Parcel, bundle_messages_max> parcels;
      const std::size_t count = read_bundle(mail.bytes, parcels);
      return apply_parcels(node, now, mail.endpoint, std::span(parcels).first(count));
    }
    case MailKind::merged:
      return apply_merged(node, now, mail.bytes);
    case MailKind::left_listed:
      return list_as_left(node, static_cast<std::uint32_t>(mail.number), mail.name,
                          hash_name(mail.name));
    case MailKind::status_listed:
      return apply_listed_status(node, now, static_cast<std::uint32_t>(mail.number),
                                 {mail.name, hash_name(mail.name), LamportTime{mail.token}});
    case MailKind::gossip:
      return send_for_others(node, now, from, mail);
    case MailKind::relay_wanted:
      return relay_for(node, from, mail);
    case MailKind::relay_sent:
      return relay_sent(node, mail);
    case MailKind::answer_relays:
      return relay_answer_for(node, mail);
    case MailKind::peer_wanted:
      if (const std::optional<Slot> peer = random_peer(node)) {
        post(node, from,
             {.kind = MailKind::peer,
              .number = mail.number,
              .endpoint = node.members.endpoint(*peer),
              .name = node.members.name(*peer)});
      }
      return;
    case MailKind::peer:
      if (mail.number == static_cast<std::uint64_t>(PeerUse::event_repair)) {
        return repair_events_from(node, now, mail.name, mail.endpoint);
      }
      if (node.sync) return compare_with(node, now, mail.name, mail.endpoint);
      return dial_push_pull(node, now, mail.endpoint, {});
    case MailKind::dial:
      return dial_join(node, now, mail.endpoint, {.join = true});
    case MailKind::ping_wanted:
      return dial_ping(node, now, mail.endpoint, {mail.sequence, mail.due, mail.bytes});
    case MailKind::stream_acked:
      return stream_ping_acked(node, mail.sequence);
    case MailKind::measured:
    case MailKind::coordinate:
    case MailKind::coordinate_useless:
      return apply_coordinate_mail(node, now, mail);
    case MailKind::image_wanted:
      return on_image_wanted(node, from, mail.number);
    case MailKind::image:
      if (on_image(node, from, mail)) state_gathered(node, now);
      return;
    case MailKind::sync_part:
    case MailKind::sync_unseen:
    case MailKind::sync_wait:
    case MailKind::sync_through:
      return apply_sync_mail(node, now, from, mail);
    case MailKind::command:
      return apply_command(node, now, decode_command(mail.bytes));
    case MailKind::host:
    case MailKind::hosted:
      return take_in(node, now, mail);
    case MailKind::unhosted:
      if (Hosted* member = hosted_of(node, mail, mail.number)) {
        end_probe(node, *member);
        node.hosted.remove(*member);
      }
      return;
    case MailKind::leave_wanted: {
      Hosted& member = node.hosted.at(to_number(mail.hosted));
      if (member.used) begin_leave(node, now, member, 0);
      return;
    }
    case MailKind::leaving:
      return set_stage(node, now, mail);
    case MailKind::announce:
      return announce_own_joins(node, now);
    case MailKind::health: {
      Hosted& member = node.hosted.at(to_number(mail.hosted));
      const auto delta = static_cast<int>(static_cast<std::int64_t>(mail.number));
      if (member.used) change_health(node, now, member, delta);
      return;
    }
    case MailKind::stats_wanted:
      return send_stats(node, from, mail.token);
    case MailKind::stats:
      return add_stats(node, now, from, mail);
    case MailKind::keyring:
      return take_keyring(node, now, from, mail);
    case MailKind::keyring_taken:
      return keyring_taken(node, now, from, mail);
  }
}

// The lane that a command belongs to.
ShardId owner_of_command(Node& node, const Command& command) {
  switch (command.kind) {
    case Command::Kind::force_leave:
    case Command::Kind::explain:
      return node.buckets.owner(hash_name(command.name));
    case Command::Kind::set_meta:
    case Command::Kind::unhost:
    case Command::Kind::abandon: {
      const Hosted* member =
          command.name.empty() ? node.hosted.speaker() : node.hosted.find(command.name);
      if (command.name.empty() && node.hosted.end() > 0 && node.hosted.at(0).used) {
        member = &node.hosted.at(0);
      }
      return member == nullptr ? node.id : node.home(*member);
    }
    case Command::Kind::host:  // asks its home itself
    case Command::Kind::join:
    case Command::Kind::announce:
    case Command::Kind::leave:
    case Command::Kind::user_event:
    case Command::Kind::stats:
    case Command::Kind::coordinate:
    case Command::Kind::install_key:
    case Command::Kind::use_key:
    case Command::Kind::remove_key:
    case Command::Kind::query:
    case Command::Kind::respond:
    case Command::Kind::acknowledge:
      return node.id;
  }
  return node.id;
}

}  // namespace

bool apply_mails(Node& node, Instant now) {
  if (node.alone()) return false;
  for (int helping = 0; helping < helpings_per_turn; ++helping) {
    // Records may send packets; what finds no room for them waits in its ring.
    if (node.out.packets_left() <= Outbox::packets_reserved) return true;
    const bool more = node.mail.drain(
        mails_at_once, [&](ShardId from, const Mail& mail) { apply_mail(node, now, from, mail); });
    if (!more) return false;
  }
  return true;
}

void route_command(Node& node, Instant now, Bytes record) {
  const Command command = decode_command(record);
  const ShardId owner = node.alone() ? node.id : owner_of_command(node, command);
  if (owner == node.id) return apply_command(node, now, command);
  if (post(node, owner, {.kind = MailKind::command, .bytes = record})) return;
  node.report.done(now, command.token, CommandResult::no_capacity, 0,
                   "the lane of this member is too busy");
}

}  // namespace starling
