// Changes of the keyring while the engine runs.
//
// protocol/serf section 11, protocol/memberlist section 18. The front lane decides and hands its
// whole keyring on, so that a record that is lost costs nothing but another try; the command ends
// when every lane works with the new keys. A packet is opened with the keys of the moment it is
// taken, a stream frame with those of the moment it is complete, so a change loses neither. Key
// schedules have their room since the start; nothing is allocated.
//
// Another primary key makes other digests, too (core/digest/symbol.h). They are made anew, a
// portion of the rows at a time; until that is done the node exchanges full states, and for one
// push/pull interval it starts no exchange by digests, because its peers change their key at about
// the same time.
#pragma once

#include "core/shard/commands.h"
#include "core/shard/node.h"

namespace starling {

// install_key, use_key, remove_key. Refused with Serf's words; one change at a time.
void change_keys(Node& node, Instant now, const Command& command);
// The front lane tells the lanes that have not taken its keyring; arms its own timer while there
// are any.
void send_keyring(Node& node, Instant now);
// Another lane: takes the front lane's keyring and says so.
void take_keyring(Node& node, Instant now, ShardId from, const Mail& mail);
// The front lane: `from` works with keyring `mail.number`.
void keyring_taken(Node& node, Instant now, ShardId from, const Mail& mail);

// Takes a portion of the rows into the digest of the new key; arms its own timer while more are
// left.
void rekey_digest_more(Node& node, Instant now);

}  // namespace starling
