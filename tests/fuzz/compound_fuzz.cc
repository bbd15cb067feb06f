// Any compound body: parts lie inside it in order, and built again they read the same.
#include <vector>

#include "tests/fuzz/fuzz.h"
#include "wire/compound.h"

namespace starling {
namespace {

std::vector<Bytes> read_parts(Bytes body) {
  std::vector<Bytes> parts;
  auto reader = CompoundReader::open(body);
  if (!reader) return parts;
  const std::byte* end = body.data() + 1 + 2 * reader->announced();
  Bytes part;
  while (reader->next(part)) {
    CHECK(part.data() == end);
    end = part.data() + part.size();
    CHECK(end <= body.data() + body.size());
    parts.push_back(part);
  }
  CHECK(reader->cut_short() == (parts.size() < reader->announced()));
  return parts;
}

void check_body(Bytes body) {
  const std::vector<Bytes> parts = read_parts(body);
  std::vector<std::byte> room(body.size() + 1);
  CompoundBuilder builder(room);
  std::vector<Bytes> added;
  for (const Bytes part : parts) {
    const bool fits = builder.add(part);
    // All of it fits into the size it came from.
    CHECK(fits == (!part.empty() && added.size() < compound_parts_max));
    if (fits) added.push_back(part);
  }
  const std::size_t announced = builder.size();
  const Bytes message = builder.finish();
  CHECK(message.size() == announced);
  if (added.size() == 1) CHECK(equal(message, added[0]));
  if (added.size() < 2) return;
  CHECK(message[0] == std::byte{7});
  const std::vector<Bytes> again = read_parts(message.subspan(1));
  CHECK(std::equal(added.begin(), added.end(), again.begin(), again.end(), equal));
}

}  // namespace
}  // namespace starling

FUZZ_TARGET(starling::check_body)
