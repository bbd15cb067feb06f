#include "agent/cli/go_value.h"

#include <iterator>
#include <map>

#include <fmt/format.h>

#include "agent/go_text.h"
#include "wire/msgpack.h"
#include "wire/value_scanner.h"

namespace starling::agent::cli {
namespace {

// Go names the element type `byte` at the top and `uint8` inside an interface value.
std::string format_bytes(Bytes bytes, std::string_view element) {
  std::string out = fmt::format("[]{}{{", element);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    fmt::format_to(std::back_inserter(out), "{}0x{:x}", i == 0 ? "" : ", ",
                   std::to_integer<unsigned>(bytes[i]));
  }
  return out + "}";
}

// The lead byte tells Go's type: fixint and the signed family are int64, the rest uint64.
std::string format_integer(Reader& in) {
  const auto lead = std::to_integer<std::uint8_t>(in.rest()[0]);
  const bool is_unsigned = lead >= 0xcc && lead <= 0xcf;
  if (is_unsigned) return fmt::format("{:#x}", msgpack::read_u64(in));
  return std::to_string(msgpack::read_signed(in));
}

std::string format_value(Reader& in, unsigned depth);

std::string format_map(Reader& in, unsigned depth) {
  std::map<std::string, std::string> sorted;
  for (std::uint64_t pairs = msgpack::read_map_header(in); pairs > 0 && in.ok(); --pairs) {
    std::string key = format_value(in, depth + 1);
    sorted[std::move(key)] = format_value(in, depth + 1);
  }
  std::string out = "map[interface {}]interface {}{";
  bool first = true;
  for (const auto& [key, value] : sorted) {
    out += (first ? "" : ", ") + key + ":" + value;
    first = false;
  }
  return out + "}";
}

std::string format_array(Reader& in, unsigned depth) {
  std::string out = "[]interface {}{";
  bool first = true;
  for (std::uint64_t left = msgpack::read_array_header(in); left > 0 && in.ok(); --left) {
    out += (first ? "" : ", ") + format_value(in, depth + 1);
    first = false;
  }
  return out + "}";
}

std::string format_value(Reader& in, unsigned depth) {
  if (depth > msgpack_nesting_max) in.fail(WireFault::too_deep);
  Scratch scratch;
  switch (msgpack::peek(in)) {
    case msgpack::Kind::nil:
      in.skip(1);
      return depth == 0 ? "<nil>" : "interface {}(nil)";
    case msgpack::Kind::boolean:
      return msgpack::read_bool(in) ? "true" : "false";
    case msgpack::Kind::integer:
      return format_integer(in);
    case msgpack::Kind::floating:
      return fmt::format("{}", msgpack::read_float64(in));
    case msgpack::Kind::text:
      return go_quote(msgpack::read_text(in));
    case msgpack::Kind::binary:
      return format_bytes(msgpack::read_bytes(in, scratch), depth == 0 ? "byte" : "uint8");
    case msgpack::Kind::array:
      return format_array(in, depth);
    case msgpack::Kind::map:
      return format_map(in, depth);
    case msgpack::Kind::none:
    case msgpack::Kind::extension:
    case msgpack::Kind::invalid:
      break;
  }
  in.fail(WireFault::wrong_type);
  return "";
}

}  // namespace

Decoded<std::string> format_event(Bytes value) {
  Reader in(value, "event record");
  std::string out;
  for (std::uint64_t pairs = msgpack::read_map_header(in); pairs > 0 && in.ok(); --pairs) {
    const std::string_view key = msgpack::read_text(in);
    const std::string shown = format_value(in, 0);
    if (in.ok()) out += "\t" + std::string(key) + ": " + shown + "\n";
  }
  if (!in.ok()) return std::unexpected(in.error());
  return out;
}

}  // namespace starling::agent::cli
