#include "core/shard/commands.h"

#include <cstring>
#include <type_traits>

#include "core/shard/record.h"

namespace starling {

namespace {

// What does not vary in length. The variable parts follow: name, payload, filters.
struct CommandHeader {
  Command::Kind kind;
  bool prune, coalesce, announce, ignore_old, want_acks;
  std::uint8_t relay_factor;
  std::uint64_t token;
  Endpoint endpoint;
  Duration timeout;
  std::uint64_t query;
  std::uint32_t flags, filter_count, filter_bytes;
  std::uint32_t name_bytes, payload_bytes;
};
static_assert(std::is_trivially_copyable_v<CommandHeader>);

}  // namespace

bool CommandWriter::send(const Command& command) {
  const CommandHeader header{.kind = command.kind,
                             .prune = command.prune,
                             .coalesce = command.coalesce,
                             .announce = command.announce,
                             .ignore_old = command.ignore_old,
                             .want_acks = command.want_acks,
                             .relay_factor = command.relay_factor,
                             .token = command.token,
                             .endpoint = command.endpoint,
                             .timeout = command.timeout,
                             .query = command.query,
                             .flags = command.flags,
                             .filter_count = command.filter_count,
                             .filter_bytes = static_cast<std::uint32_t>(command.filters.size()),
                             .name_bytes = static_cast<std::uint32_t>(command.name.size()),
                             .payload_bytes = static_cast<std::uint32_t>(command.payload.size())};
  return write_record(ring_, header, {as_bytes(command.name), command.payload, command.filters});
}

Command decode_command(Bytes record) {
  RecordParts<CommandHeader> parts(record);
  Command command;
  command.kind = parts.header.kind;
  command.token = parts.header.token;
  command.endpoint = parts.header.endpoint;
  command.name = as_text(parts.take(parts.header.name_bytes));
  command.payload = parts.take(parts.header.payload_bytes);
  command.filters = parts.take(parts.header.filter_bytes);
  command.filter_count = parts.header.filter_count;
  command.timeout = parts.header.timeout;
  command.want_acks = parts.header.want_acks;
  command.relay_factor = parts.header.relay_factor;
  command.flags = parts.header.flags;
  command.query = parts.header.query;
  command.prune = parts.header.prune;
  command.coalesce = parts.header.coalesce;
  command.announce = parts.header.announce;
  command.ignore_old = parts.header.ignore_old;
  return command;
}

}  // namespace starling
