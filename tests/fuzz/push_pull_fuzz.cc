// Any push/pull body: chunk boundaries change nothing, and what was read encodes and reads the
// same. The first byte chooses the chunks.
#include <vector>

#include "tests/fuzz/fuzz.h"
#include "wire/push_pull.h"

namespace starling {
namespace {

using Progress = PushPullReader::Progress;

constexpr std::size_t item_bytes_max = 600;

// Writes again what it is given.
struct Echo {
  std::vector<std::byte> encoded;

  template <class Part, class... Style>
  bool append(const Part& part, Style... style) {
    std::array<std::byte, item_bytes_max + Scratch::bytes_max + 256> room;
    Writer out(room);
    encode(part, out, style...);
    CHECK(out.ok());
    encoded.insert(encoded.end(), out.written().begin(), out.written().end());
    return true;
  }
  bool on_header(const PushPullHeader& header) { return append(header, SignedStyle::signed_form); }
  bool on_node(const NodeState& node) { return append(node); }
  bool on_user_state(Bytes part) {
    encoded.insert(encoded.end(), part.begin(), part.end());
    return true;
  }
};

struct ExchangeOutcome {
  std::vector<std::byte> encoded;  // with the type byte, unless nothing was read
  bool good = true;
  Progress progress = Progress::more;
  bool operator==(const ExchangeOutcome&) const = default;
};

ExchangeOutcome feed_whole(Bytes body) {
  std::array<std::byte, item_bytes_max> carry;
  PushPullReader reader({}, carry);
  Echo echo;
  const auto progress = reader.feed(body, echo);
  return {echo.encoded, progress.has_value(), progress.value_or(Progress::more)};
}

ExchangeOutcome feed_in_pieces(Bytes body, std::uint8_t seed) {
  std::array<std::byte, item_bytes_max> carry;
  PushPullReader reader({}, carry);
  Echo echo;
  fuzz::ChunkSizes sizes(seed);
  Decoded<Progress> progress = reader.feed({}, echo);
  while (!body.empty() && progress) {
    const Bytes chunk = body.first(std::min(sizes.next(), body.size()));
    body = body.subspan(chunk.size());
    // A copy that is gone after the call: nothing may point into it later.
    const std::vector<std::byte> copy(chunk.begin(), chunk.end());
    progress = reader.feed(copy, echo);
  }
  return {echo.encoded, progress.has_value(), progress.value_or(Progress::more)};
}

void check_push_pull(Bytes input) {
  const std::uint8_t seed = fuzz::take_byte(input);
  const ExchangeOutcome whole = feed_whole(input);
  CHECK(feed_in_pieces(input, seed) == whole);
  if (!whole.good || whole.progress != Progress::done) return;
  // Fields that came as arrays may have grown beyond the limit of an item.
  const ExchangeOutcome again = feed_whole(Bytes(whole.encoded).subspan(1));
  CHECK(again == whole || !again.good);

  std::size_t used = 0;
  if (const auto user = decode_user_header(input, used); user) {
    CHECK(used <= input.size());
    Echo echo;
    echo.append(*user, SignedStyle::unsigned_form);
    const auto user_again = decode_user_header(Bytes(echo.encoded).subspan(1), used);
    CHECK(user_again && user_again->bytes == user->bytes);
  }
}

}  // namespace
}  // namespace starling

FUZZ_TARGET(starling::check_push_pull)
