#include "agent/decode/message_json.h"

#include <array>
#include <variant>

#include "agent/decode/serf_json.h"
#include "wire/push_pull.h"
#include "wire/sync.h"
#include "wire/sync_records.h"

namespace starling::agent::decode {
namespace {

// Of node states that are listed: tiny tags take fifty times their size as JSON.
constexpr std::size_t listed_bytes_max = 8u << 20;

DescribedMessage failed(const WireError& fault, Json so_far = Json::object()) {
  return {std::move(so_far), fault};
}

WireError at_offset(WireError fault, std::size_t offset) {
  fault.offset += static_cast<std::uint32_t>(offset);
  return fault;
}

void add_source(Json& described, const Source& source) {
  if (source.address.empty() && source.port == 0 && source.node.empty()) return;
  described["SourceAddr"] = address_value(source.address);
  described["SourcePort"] = source.port;
  described["SourceNode"] = text_value(source.node);
}

Json versions_json(Bytes versions) {
  Json numbers = Json::array();
  for (const std::byte number : versions) numbers.push_back(std::to_integer<unsigned>(number));
  return numbers;
}

DescribedMessage describe(const Ping& ping) {
  Json described{
      {"type", "ping"}, {"SeqNo", to_number(ping.sequence)}, {"Node", text_value(ping.node)}};
  add_source(described, ping.source);
  return {std::move(described), {}};
}

DescribedMessage describe(const IndirectPing& ping) {
  Json described{{"type", "indirectPing"},
                 {"SeqNo", to_number(ping.sequence)},
                 {"Target", address_value(ping.target)},
                 {"Port", ping.port},
                 {"Node", text_value(ping.node)},
                 {"Nack", ping.nack}};
  add_source(described, ping.source);
  return {std::move(described), {}};
}

DescribedMessage describe(const Ack& ack) {
  Json described{{"type", "ackResp"}, {"SeqNo", to_number(ack.sequence)}};
  auto payload = ack_payload_json(ack.payload);
  if (!payload) return failed(payload.error(), std::move(described));
  described["Payload"] = std::move(*payload);
  return {std::move(described), {}};
}

DescribedMessage describe(const Nack& nack) {
  return {Json{{"type", "nackResp"}, {"SeqNo", to_number(nack.sequence)}}, {}};
}

template <class Accusation>
Json accusation_json(const char* type, const Accusation& message) {
  return Json{{"type", type},
              {"Incarnation", to_number(message.incarnation)},
              {"Node", text_value(message.node)},
              {"From", text_value(message.from)}};
}

DescribedMessage describe(const Suspect& suspect) {
  return {accusation_json("suspect", suspect), {}};
}

DescribedMessage describe(const Dead& dead) {
  return {accusation_json("dead", dead), {}};
}

DescribedMessage describe(const Alive& alive) {
  Json described{{"type", "alive"},
                 {"Incarnation", to_number(alive.incarnation)},
                 {"Node", text_value(alive.node)},
                 {"Addr", address_value(alive.address)},
                 {"Port", alive.port}};
  auto meta = meta_json(alive.meta);
  if (!meta) return failed(meta.error(), std::move(described));
  described["Meta"] = std::move(*meta);
  described["Vsn"] = versions_json(alive.versions);
  return {std::move(described), {}};
}

DescribedMessage describe(const ErrorMessage& message) {
  return {Json{{"type", "err"}, {"Error", text_value(message.text)}}, {}};
}

template <class Message>
DescribedMessage describe(const Decoded<Message>& message) {
  if (!message) return failed(message.error());
  return describe(*message);
}

DescribedMessage describe_user(Bytes payload) {
  Json described{{"type", "user"}};
  auto decoded = user_payload_json(payload);
  if (!decoded) {
    described["payload"] = payload_value(payload);
    return failed(decoded.error(), std::move(described));
  }
  described["payload"] = std::move(*decoded);
  return {std::move(described), {}};
}

// How many bytes follow behind `at`, as announced by `bytes`; an error when they do not.
Decoded<Bytes> announced(Bytes body, std::size_t at, std::int64_t bytes, const WireError& field) {
  if (bytes < 0 || bytes > PushPullLimits{}.user_state_bytes_max) {
    return std::unexpected(WireError{field.layer, field.field, WireFault::out_of_range, 0});
  }
  const auto count = static_cast<std::size_t>(bytes);
  if (count > body.size() - at) {
    return std::unexpected(WireError{field.layer, field.field, WireFault::truncated,
                                     static_cast<std::uint32_t>(body.size())});
  }
  return body.subspan(at, count);
}

DescribedMessage describe_stream_user(Bytes body) {
  std::size_t used = 0;
  const auto header = decode_user_header(body, used);
  if (!header) return failed(header.error());
  const auto payload = announced(body, used, header->bytes, {"user header", "UserMsgLen"});
  if (!payload) return failed(payload.error(), {{"type", "user"}, {"UserMsgLen", header->bytes}});
  DescribedMessage described = describe_user(*payload);
  described.json["UserMsgLen"] = header->bytes;
  described.surplus_bytes = body.size() - used - payload->size();
  return described;
}

Json state_name(std::int64_t state) {
  switch (state) {
    case 0:
      return "alive";
    case 1:
      return "suspect";
    case 2:
      return "dead";
    case 3:
      return "left";
    default:
      return state;
  }
}

Decoded<Json> node_json(const NodeState& node) {
  auto meta = meta_json(node.meta);
  if (!meta) return meta;
  return Json{{"Name", text_value(node.name)},
              {"Addr", address_value(node.address)},
              {"Port", node.port},
              {"Meta", std::move(*meta)},
              {"Incarnation", to_number(node.incarnation)},
              {"State", state_name(node.state)},
              {"Vsn", versions_json(node.versions)}};
}

DescribedMessage describe_push_pull(Bytes body) {
  const PushPullLimits limits;
  Json described{{"type", "pushPull"}};
  std::size_t at = 0;
  const auto header = decode_push_pull_header(body, at);
  if (!header) return failed(header.error(), std::move(described));
  described["Join"] = header->join;
  described["Nodes"] = header->nodes;
  described["UserStateLen"] = header->user_state_bytes;
  if (header->nodes < 0 || header->nodes > limits.nodes_max) {
    return failed({"push/pull header", "Nodes", WireFault::out_of_range, 0}, std::move(described));
  }

  described["nodes"] = Json::array();
  Json& nodes = described["nodes"];
  for (std::int64_t read = 0; read < header->nodes; ++read) {
    Scratch scratch;
    std::size_t used = 0;
    const auto node = decode_node_state(body.subspan(at), scratch, used);
    if (!node) return failed(at_offset(node.error(), at), std::move(described));
    if (nodes.size() < listed_max && at < listed_bytes_max) {
      auto node_described = node_json(*node);
      if (!node_described)
        return failed(at_offset(node_described.error(), at), std::move(described));
      nodes.push_back(std::move(*node_described));
    }
    at += used;
  }
  const std::size_t listed = nodes.size();
  const auto left_out = header->nodes - static_cast<std::int64_t>(listed);
  if (left_out > 0) described["nodes_not_listed"] = left_out;

  const auto state =
      announced(body, at, header->user_state_bytes, {"push/pull header", "UserStateLen"});
  if (!state) return failed(state.error(), std::move(described));
  auto user_state = user_state_json(*state);
  if (!user_state) return failed(at_offset(user_state.error(), at), std::move(described));
  described["user_state"] = std::move(*user_state);
  return {std::move(described), {}, body.size() - at - state->size()};
}

DescribedMessage unsupported() {
  return failed({"message", "type", WireFault::unsupported, 0});
}

// ---- messages of this kind: comparisons of tables -----------------------------------------------

// Sums and roots are keyed and mean nothing to a reader but to be equal or not.
std::string root_text(std::uint64_t root) {
  std::array<std::byte, 8> room;
  Writer out(room);
  out.u64(root);
  return to_hex(room);
}

void add_counts(Json& shown, const SyncDigest& digest) {
  shown["root"] = root_text(digest.root);
  shown["rows"] = digest.count;
  shown["byte"] = digest.byte;
  shown["fold"] = digest.fold_log2;
  shown["first_bucket"] = digest.first_bucket;
  shown["sums"] = digest.sums.size();
  shown["cells"] = digest.cells.size();
}

void add_counts(Json& shown, const SyncDiffering& differing) {
  std::size_t differ = 0;
  for (std::size_t i = 0; i < differing.buckets; ++i) differ += differing.differs(i) ? 1 : 0;
  shown["root"] = root_text(differing.root);
  shown["rows"] = differing.count;
  shown["cells_held"] = differing.cells_held;
  shown["fold"] = differing.fold_log2;
  shown["first_bucket"] = differing.first_bucket;
  shown["buckets"] = differing.buckets;
  shown["differing"] = differ;
  shown["cells"] = differing.cells.size();
}

void add_counts(Json& shown, const SyncCellsWanted& wanted) {
  shown["first"] = wanted.first;
  shown["count"] = wanted.count;
}

void add_counts(Json& shown, const SyncCellsPart& part) {
  shown["root"] = root_text(part.root);
  shown["first"] = part.first;
  shown["cells"] = part.cells.size();
}

void add_counts(Json& shown, const SyncWant& want) {
  shown["last"] = want.last;
  shown["symbols"] = want.symbols.size();
}

void add_counts(Json& shown, const SyncRangeWanted& wanted) {
  shown["first_bucket"] = wanted.first_bucket;
  shown["buckets"] = wanted.buckets;
  shown["page"] = wanted.page;
  shown["sum"] = root_text(wanted.sum);
}

void add_counts(Json& shown, const SyncRecords& records) {
  shown["reply"] = records.reply();
  shown["last"] = records.last();
  if (records.of_range()) {
    shown["first_bucket"] = records.range.first_bucket;
    shown["buckets"] = records.range.buckets;
    shown["page"] = records.range.page;
    shown["last_page"] = records.range.last_page;
    shown["sum"] = root_text(records.range.sum);
  }
  shown["bytes"] = records.records.size();
}

void add_counts(Json& shown, const SyncFinished& finished) {
  shown["serial"] = finished.serial;
  shown["root"] = root_text(finished.root);
  shown["rows"] = finished.count;
}

DescribedMessage describe_sync(Bytes body) {
  const auto message = decode_sync(body);
  if (!message) return failed(message.error(), Json{{"type", "sync"}});
  const auto kind = static_cast<SyncKind>(message->body.index());
  Json shown{{"type", "sync"},
             {"kind", to_text(kind)},
             {"exchange", to_number(message->header.exchange)},
             {"from", message->header.from_responder ? "responder" : "initiator"}};
  std::visit([&](const auto& counted) { add_counts(shown, counted); }, message->body);
  const auto* const records = std::get_if<SyncRecords>(&message->body);
  if (records == nullptr) return {std::move(shown), {}};
  SyncRecordReader reader(records->records);
  std::size_t count = 0;
  SyncRecord record;
  while (reader.next(record)) ++count;
  shown["rows"] = count;
  DescribedMessage described{std::move(shown), {}};
  if (!reader.ok()) described.fault = reader.error();
  return described;
}

}  // namespace

DescribedMessage datagram_message_json(Bytes message) {
  if (message.empty()) return failed({"message", "type", WireFault::truncated, 0});
  const Bytes body = message.subspan(1);
  if (message[0] == std::byte{sync_message_type}) return describe_sync(body);
  Scratch scratch;
  switch (static_cast<MessageType>(message[0])) {
    case MessageType::ping:
      return describe(decode_ping(body, scratch));
    case MessageType::indirect_ping:
      return describe(decode_indirect_ping(body, scratch));
    case MessageType::ack:
      return describe(decode_ack(body, scratch));
    case MessageType::nack:
      return describe(decode_nack(body));
    case MessageType::suspect:
      return describe(decode_suspect(body, scratch));
    case MessageType::alive:
      return describe(decode_alive(body, scratch));
    case MessageType::dead:
      return describe(decode_dead(body, scratch));
    case MessageType::user:
      return describe_user(body);
    default:
      return unsupported();
  }
}

DescribedMessage stream_message_json(Bytes message) {
  if (message.empty()) return failed({"message", "type", WireFault::truncated, 0});
  const Bytes body = message.subspan(1);
  Scratch scratch;
  switch (static_cast<MessageType>(message[0])) {
    case MessageType::ping:
      return describe(decode_ping(body, scratch));
    case MessageType::ack:
      return describe(decode_ack(body, scratch));
    case MessageType::error:
      return describe(decode_error(body, scratch));
    case MessageType::user:
      return describe_stream_user(body);
    case MessageType::push_pull:
      return describe_push_pull(body);
    default:
      return unsupported();
  }
}

}  // namespace starling::agent::decode
