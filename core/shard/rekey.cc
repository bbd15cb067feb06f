#include "core/shard/rekey.h"

#include <algorithm>

#include "core/shard/route.h"
#include "core/shard/row_digest.h"
#include "core/shard/sync_turn.h"

namespace starling {

namespace {

// Rows that a turn takes into the new digest: some hundred nanoseconds each.
constexpr std::uint32_t rows_per_turn = 4'096;
constexpr Duration between_portions = std::chrono::milliseconds(1);
// A lane's ring is full for a burst of packets at most.
constexpr Duration between_tries = std::chrono::milliseconds(5);

// A keyring as mail: each key after its length.
constexpr std::size_t keyring_bytes_max = Keyring::keys_max * (1 + AesKey::bytes_max);

Bytes write_keyring(const Keyring& keyring, std::span<std::byte, keyring_bytes_max> room) {
  std::size_t at = 0;
  for (const AesKey& key : keyring.keys()) {
    room[at++] = static_cast<std::byte>(key.bytes().size());
    std::ranges::copy(key.bytes(), room.begin() + static_cast<std::ptrdiff_t>(at));
    at += key.bytes().size();
  }
  return Bytes(room).first(at);
}

Keyring read_keyring(Bytes bytes) {
  Keyring keyring;
  while (!bytes.empty()) {
    const std::size_t size = std::to_integer<std::size_t>(bytes.front());
    CHECK(size < bytes.size());
    const auto key = AesKey::from(bytes.subspan(1, size));
    CHECK(key.has_value());
    CHECK(keyring.add(*key).has_value());
    bytes = bytes.subspan(1 + size);
  }
  return keyring;
}

// Serf's words.
std::string_view refusal(KeyringError error) {
  switch (error) {
    case KeyringError::full:
      return to_text(error);
    case KeyringError::not_found:
      return "Requested key is not in the keyring";
    case KeyringError::is_primary:
      return "Removing the primary key is not allowed";
  }
  return {};
}

void work_with(Node& node, const Keyring& keyring) {
  node.keyring = keyring;
  node.cipher.rekey(node.keyring);
}

// Lets the other lanes know whether this one's digest can be read.
void note_epoch(Node& node) {
  if (node.alone()) return;
  const std::uint32_t under = static_cast<std::uint32_t>(node.key_change.number) * 2;
  node.view->lane(node.id).digest_epoch.store(node.sync->complete() ? under : under + 1,
                                              std::memory_order_relaxed);
}

void begin_new_digest(Node& node, Instant now) {
  if (!node.sync) return;
  SyncState& sync = *node.sync;
  sync.digested_end = 0;
  note_epoch(node);
  sync.quiet_until = now + node.options.swim.push_pull_interval;
  sync.digest.rekey(DigestKey(node.keyring.primary().bytes()));
  end_exchange(node, now);
  rekey_digest_more(node, now);
}

}  // namespace

void change_keys(Node& node, Instant now, const Command& command) {
  const auto refuse = [&](std::string_view why) {
    node.report.done(now, command.token, CommandResult::key_refused, 0, why);
  };
  if (node.keyring.empty()) return refuse("No keyring to modify (encryption not enabled)");
  const std::optional<AesKey> key = AesKey::from(command.payload);
  if (!key) return refuse("key size must be 16, 24 or 32 bytes");
  if (node.key_change.missing != 0) {
    return node.report.done(now, command.token, CommandResult::no_capacity, 0,
                            "another key is being changed");
  }
  Keyring keyring = node.keyring;
  const auto changed = command.kind == Command::Kind::install_key ? keyring.add(*key)
                       : command.kind == Command::Kind::use_key   ? keyring.use(*key)
                                                                  : keyring.remove(*key);
  if (!changed) return refuse(refusal(changed.error()));
  const bool another_primary = !(keyring.primary() == node.keyring.primary());
  ++node.key_change.number;
  work_with(node, keyring);
  if (another_primary) begin_new_digest(node, now);
  if (node.sync) note_epoch(node);
  if (node.alone()) return node.report.done(now, command.token, CommandResult::ok);
  const std::uint32_t all = node.lanes == 32 ? UINT32_MAX : (1u << node.lanes) - 1;
  node.key_change = {.token = command.token,
                     .number = node.key_change.number,
                     .missing = all & ~(1u << static_cast<unsigned>(node.id))};
  send_keyring(node, now);
}

void send_keyring(Node& node, Instant now) {
  if (node.key_change.missing == 0) return;
  std::array<std::byte, keyring_bytes_max> room;
  const Mail mail{.kind = MailKind::keyring,
                  .number = node.key_change.number,
                  .bytes = write_keyring(node.keyring, room)};
  for (std::uint32_t lane = 0; lane < node.lanes; ++lane) {
    if ((node.key_change.missing & (1u << lane)) == 0) continue;
    post(node, ShardId{static_cast<std::uint8_t>(lane)}, mail);
  }
  wipe(room);
  node.wheel.arm(timer(FixedTimer::keyring), now + between_tries);
}

void take_keyring(Node& node, Instant now, ShardId from, const Mail& mail) {
  // The same keyring may come twice, an older one never comes after it.
  if (node.key_change.number != mail.number) {
    node.key_change.number = mail.number;
    const Keyring keyring = read_keyring(mail.bytes);
    const bool another_primary = !(keyring.primary() == node.keyring.primary());
    work_with(node, keyring);
    if (another_primary) begin_new_digest(node, now);
    if (node.sync) note_epoch(node);
  }
  post(node, from, {.kind = MailKind::keyring_taken, .number = mail.number});
}

void keyring_taken(Node& node, Instant now, ShardId from, const Mail& mail) {
  KeyChange& change = node.key_change;
  if (mail.number != change.number || change.missing == 0) return;
  change.missing &= ~(1u << static_cast<unsigned>(from));
  if (change.missing != 0) return;
  node.wheel.cancel(timer(FixedTimer::keyring));
  node.report.done(now, std::exchange(change.token, 0), CommandResult::ok);
}

void rekey_digest_more(Node& node, Instant now) {
  SyncState& sync = *node.sync;
  const auto slots = static_cast<std::uint32_t>(node.members.slots_end());
  const std::uint32_t end = std::min(slots, sync.digested_end + rows_per_turn);
  for (std::uint32_t i = std::exchange(sync.digested_end, end); i < end; ++i) {
    if (const std::optional<Mark> mark = mark_of_row(node, Slot{i})) sync.digest.add(*mark);
  }
  if (end == slots) {
    sync.digested_end = UINT32_MAX;
    return note_epoch(node);
  }
  node.wheel.arm(timer(FixedTimer::digest_rekey), now + between_portions);
}

}  // namespace starling
