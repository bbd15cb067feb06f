#include "wire/ping_payload.h"

#include "wire/msgpack.h"

namespace starling {
namespace {

constexpr std::uint8_t ping_version = 1;
constexpr std::array<std::string_view, 4> coordinate_keys{"Vec", "Error", "Adjustment", "Height"};

void read_vector(Reader& in, Coordinate& coordinate) {
  const std::size_t offset = in.offset();
  const std::uint64_t count = msgpack::read_array_header(in);
  if (count != Coordinate::dimensions) return in.fail_at(WireFault::out_of_range, offset);
  for (double& value : coordinate.vector) value = msgpack::read_float64(in);
}

}  // namespace

Decoded<Coordinate> decode_ping_payload(Bytes payload) {
  Reader in(payload, "ping payload");
  in.set_field("version");
  if (in.u8() != ping_version) in.fail_at(WireFault::unsupported, 0);
  // Fields that are not there are zero, as in Go; a missing vector has no dimensions.
  Coordinate coordinate{.vector = {}, .error = 0, .adjustment = 0, .height = 0};
  bool has_vector = false;
  msgpack::read_struct<coordinate_keys>(in, [&](std::size_t field) {
    switch (field) {
      case 0:
        read_vector(in, coordinate);
        has_vector = true;
        break;
      case 1:
        coordinate.error = msgpack::read_float64(in);
        break;
      case 2:
        coordinate.adjustment = msgpack::read_float64(in);
        break;
      default:
        coordinate.height = msgpack::read_float64(in);
        break;
    }
  });
  in.set_field("Vec");
  if (!has_vector) in.fail(WireFault::out_of_range);
  if (!in.ok()) return std::unexpected(in.error());
  return coordinate;
}

void encode_ping_payload(const Coordinate& coordinate, Writer& out) {
  out.u8(ping_version);
  msgpack::write_map_header(out, coordinate_keys.size());
  msgpack::write_key(out, "Adjustment");
  msgpack::write_float64(out, coordinate.adjustment);
  msgpack::write_key(out, "Error");
  msgpack::write_float64(out, coordinate.error);
  msgpack::write_key(out, "Height");
  msgpack::write_float64(out, coordinate.height);
  msgpack::write_key(out, "Vec");
  msgpack::write_array_header(out, coordinate.vector.size());
  for (const double value : coordinate.vector) msgpack::write_float64(out, value);
}

}  // namespace starling
