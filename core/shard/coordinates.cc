#include "core/shard/coordinates.h"

#include <algorithm>

#include "core/shard/route.h"

namespace starling {

namespace {

void write_payload(CoordinatePayload& payload, const Coordinate& coordinate) {
  Writer out(payload.room);
  encode_ping_payload(coordinate, out);
  CHECK(out.ok());
  payload.bytes = out.size();
}

void measure(Node& node, Instant now, const ProbeMeasurement& measurement) {
  const Decoded<Coordinate> peer = decode_ping_payload(measurement.payload);
  if (!peer) {
    ++node.counters.coordinates_rejected;
    node.report.trace(now, TraceKind::message_dropped,
                      {.name = measurement.name, .error = peer.error()}, node.counters);
    return;
  }
  if (CoordinateClient::judge(*peer, measurement.round_trip) != CoordinateProblem::none) {
    ++node.counters.coordinates_rejected;
    return;
  }
  CoordinateClient& client = node.coordinates->client;
  CoordinateCache::Entry& entry = node.coordinates->cache.touch(hash_name(measurement.name));
  const Coordinate before = client.coordinate();
  client.update(entry.filter, *peer, measurement.round_trip);
  entry.coordinate = *peer;
  ++node.counters.coordinates_updated;
  node.counters.coordinate_zero_round_trips += measurement.round_trip == Duration::zero();
  const Duration moved = std::max(distance(before, client.coordinate()), Duration::zero());
  node.counters.coordinate_moved_nanoseconds += static_cast<std::uint64_t>(moved.count());
  node.counters.coordinate_resets = client.resets();
  write_payload(node.coordinate_payload, client.coordinate());
  if (node.alone()) return;
  post_all(node, {.kind = MailKind::coordinate, .bytes = own_coordinate_payload(node)});
}

}  // namespace

void start_coordinates(Node& node) {
  if (node.options.serf.coordinates) write_payload(node.coordinate_payload, Coordinate{});
}

Bytes own_coordinate_payload(const Node& node) {
  return Bytes(node.coordinate_payload.room).first(node.coordinate_payload.bytes);
}

void take_measurement(Node& node, Instant now, const ProbeMeasurement& measurement) {
  if (!node.options.serf.coordinates || measurement.payload.empty()) return;
  if (node.id == front_lane) return measure(node, now, measurement);
  post(node, front_lane,
       {.kind = MailKind::measured,
        .number = static_cast<std::uint64_t>(measurement.round_trip.count()),
        .name = measurement.name,
        .bytes = measurement.payload});
}

void forget_coordinate(Node& node, std::string_view name) {
  if (!node.options.serf.coordinates) return;
  if (node.id == front_lane) return node.coordinates->cache.forget(hash_name(name));
  post(node, front_lane, {.kind = MailKind::coordinate_useless, .name = name});
}

void answer_coordinate(Node& node, Instant now, const Command& command) {
  Event answer;
  answer.kind = Event::Kind::done;
  answer.at = now;
  answer.token = command.token;
  CoordinatePayload known;
  if (node.coordinates) {
    if (node.hosted.find(command.name) != nullptr) {
      answer.payload = own_coordinate_payload(node);
    } else if (const auto* entry = node.coordinates->cache.find(hash_name(command.name))) {
      write_payload(known, entry->coordinate);
      answer.payload = Bytes(known.room).first(known.bytes);
    }
  }
  if (command.token != 0) node.report.send(answer);
}

void apply_coordinate_mail(Node& node, Instant now, const Mail& mail) {
  switch (mail.kind) {
    case MailKind::measured:
      if (!node.coordinates) return;
      return measure(node, now,
                     {.name = mail.name,
                      .payload = mail.bytes,
                      .round_trip = Duration(static_cast<std::int64_t>(mail.number))});
    case MailKind::coordinate:
      if (mail.bytes.size() > node.coordinate_payload.room.size()) return;
      std::ranges::copy(mail.bytes, node.coordinate_payload.room.begin());
      node.coordinate_payload.bytes = mail.bytes.size();
      return;
    default:
      return forget_coordinate(node, mail.name);
  }
}

}  // namespace starling
