#include "core/shard/image_gather.h"

#include "core/shard/push_pull_image.h"
#include "core/shard/route.h"

namespace starling {

namespace {

constexpr std::uint32_t bit_of(ShardId lane) {
  return 1u << static_cast<unsigned>(lane);
}

}  // namespace

bool start_gathering(Node& node) {
  if (node.alone()) return false;
  ImageGathering& gathering = node.gathering;
  if (gathering.missing != 0) return true;
  ++gathering.number;
  gathering.parts = {};
  for (std::uint32_t lane = 0; lane < node.lanes; ++lane) {
    const ShardId to{static_cast<std::uint8_t>(lane)};
    if (to == node.id) continue;
    // A lane that cannot be asked gives nothing: its members reach the peer another time.
    if (post(node, to, {.kind = MailKind::image_wanted, .number = gathering.number})) {
      gathering.missing |= bit_of(to);
    }
  }
  return gathering.missing != 0;
}

void on_image_wanted(Node& node, ShardId from, std::uint64_t number) {
  node.image_part = write_image_part(node, node.image_part_room);
  const auto address = reinterpret_cast<std::uintptr_t>(&node.image_part);
  post(node, from, {.kind = MailKind::image, .number = number, .token = address});
}

bool on_image(Node& node, ShardId from, const Mail& mail) {
  ImageGathering& gathering = node.gathering;
  if (mail.number != gathering.number || (gathering.missing & bit_of(from)) == 0) return false;
  // The ring's release and acquire have made what lies there visible; its owner leaves it alone
  // until the next image_wanted, which we send.
  gathering.parts[static_cast<std::size_t>(from)] =
      *reinterpret_cast<const ImagePart*>(static_cast<std::uintptr_t>(mail.token));
  gathering.missing &= ~bit_of(from);
  return gathering.missing == 0;
}

}  // namespace starling
