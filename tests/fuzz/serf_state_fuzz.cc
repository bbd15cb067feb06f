// Any Serf push/pull state: chunk boundaries change nothing, errors included. The first byte
// chooses the chunks.
#include <vector>

#include "tests/fuzz/fuzz.h"
#include "wire/serf_state.h"

namespace starling {
namespace {

constexpr std::size_t carry_bytes = 200;

// Writes down what it is told.
class Record {
 public:
  void on_member_clock(LamportTime time) { add('m', {}, {}, time); }
  void on_event_clock(LamportTime time) { add('e', {}, {}, time); }
  void on_query_clock(LamportTime time) { add('q', {}, {}, time); }
  void on_left_member(std::string_view name) { add('l', as_bytes(name), {}, {}); }
  void on_status(std::string_view name, LamportTime time) { add('s', as_bytes(name), {}, time); }
  void on_event(const UserEvent& event) {
    CHECK(!event.coalesce);
    add('u', as_bytes(event.name), event.payload, event.time);
  }
  const std::vector<std::byte>& bytes() const { return bytes_; }

 private:
  void add(char kind, Bytes name, Bytes payload, LamportTime time) {
    std::array<std::byte, 16> header;
    Writer out(header);
    out.u8(static_cast<std::uint8_t>(kind));
    out.u64(to_number(time));
    out.u32(static_cast<std::uint32_t>(name.size()));
    for (const Bytes part : {out.written(), name, payload}) {
      bytes_.insert(bytes_.end(), part.begin(), part.end());
    }
  }
  std::vector<std::byte> bytes_;
};

struct ExchangeOutcome {
  std::vector<std::byte> told;
  bool good = true;
  SerfStateReader::Progress progress = SerfStateReader::Progress::more;
  WireFault fault{};
  std::uint32_t offset = 0;
  std::uint64_t dropped = 0;
  bool operator==(const ExchangeOutcome&) const = default;
};

template <class NextSize>
ExchangeOutcome feed(Bytes body, NextSize&& next_size) {
  std::array<std::byte, carry_bytes> carry;
  SerfStateReader reader(carry);
  Record record;
  auto progress = reader.feed({}, record);
  while (!body.empty() && progress) {
    const Bytes chunk = body.first(std::min<std::size_t>(next_size(), body.size()));
    body = body.subspan(chunk.size());
    // A copy that is gone after the call: nothing may point into it later.
    const std::vector<std::byte> copy(chunk.begin(), chunk.end());
    progress = reader.feed(copy, record);
  }
  ExchangeOutcome outcome{.told = record.bytes(), .good = progress.has_value()};
  outcome.dropped = reader.slots_dropped();
  if (progress) {
    outcome.progress = *progress;
  } else {
    outcome.fault = progress.error().fault;
    outcome.offset = progress.error().offset;
  }
  return outcome;
}

void check_serf_state(Bytes input) {
  fuzz::ChunkSizes sizes(fuzz::take_byte(input));
  CHECK(feed(input, [] { return SIZE_MAX; }) == feed(input, [&] { return sizes.next(); }));
}

}  // namespace
}  // namespace starling

FUZZ_TARGET(starling::check_serf_state)
