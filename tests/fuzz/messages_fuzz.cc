// Any message: what decodes must encode, and decode again to the same.
#include <vector>

#include "tests/fuzz/fuzz.h"
#include "wire/messages.h"

namespace starling {
namespace {

// A message with its type byte in its canonical form; empty when it does not decode.
std::vector<std::byte> canonical(Bytes message) {
  Scratch scratch;
  // Fields that came as arrays may grow, by no more than the scratch space.
  std::vector<std::byte> room(message.size() + Scratch::bytes_max + 256);
  Writer out(room);
  const Bytes body = message.subspan(1);
  const auto encode_if = [&](const auto& decoded) {
    if (decoded) encode(*decoded, out);
  };
  switch (static_cast<MessageType>(message[0])) {
    case MessageType::ping:
      encode_if(decode_ping(body, scratch));
      break;
    case MessageType::indirect_ping:
      encode_if(decode_indirect_ping(body, scratch));
      break;
    case MessageType::ack:
      encode_if(decode_ack(body, scratch));
      break;
    case MessageType::nack:
      encode_if(decode_nack(body));
      break;
    case MessageType::suspect:
      encode_if(decode_suspect(body, scratch));
      break;
    case MessageType::alive:
      encode_if(decode_alive(body, scratch));
      break;
    case MessageType::dead:
      encode_if(decode_dead(body, scratch));
      break;
    case MessageType::error:
      encode_if(decode_error(body, scratch));
      break;
    case MessageType::compress:
      encode_if(decode_compressed(body, scratch));
      break;
    default:
      break;
  }
  CHECK(out.ok());
  room.resize(out.size());
  return room;
}

void check_message(Bytes input) {
  if (input.empty()) return;
  const std::vector<std::byte> once = canonical(input);
  if (once.empty()) return;
  CHECK(canonical(once) == once);
}

}  // namespace
}  // namespace starling

FUZZ_TARGET(starling::check_message)
