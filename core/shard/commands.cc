#include "core/shard/commands.h"

#include <cstring>
#include <type_traits>

#include "core/shard/record.h"

namespace starling {

namespace {

// What does not vary in length. The variable parts follow in this order: name, payload.
struct CommandHeader {
  Command::Kind kind;
  bool prune, coalesce, announce, ignore_old;
  std::uint64_t token;
  Endpoint endpoint;
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
                             .token = command.token,
                             .endpoint = command.endpoint,
                             .name_bytes = static_cast<std::uint32_t>(command.name.size()),
                             .payload_bytes = static_cast<std::uint32_t>(command.payload.size())};
  return write_record(ring_, header, {as_bytes(command.name), command.payload});
}

Command decode_command(Bytes record) {
  RecordParts<CommandHeader> parts(record);
  Command command;
  command.kind = parts.header.kind;
  command.token = parts.header.token;
  command.endpoint = parts.header.endpoint;
  command.name = as_text(parts.take(parts.header.name_bytes));
  command.payload = parts.take(parts.header.payload_bytes);
  command.prune = parts.header.prune;
  command.coalesce = parts.header.coalesce;
  command.announce = parts.header.announce;
  command.ignore_old = parts.header.ignore_old;
  return command;
}

}  // namespace starling
