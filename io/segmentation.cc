#include "io/segmentation.h"

#include <netinet/udp.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace starling::io {

std::size_t Segmentation::run(std::span<const TxPacket> packets) const {
  const TxPacket& first = packets.front();
  if (first.bytes == 0 || first.bytes > segment_bytes_max_) return 1;
  const std::size_t longest =
      std::min({packets.size(), segments_max, run_bytes_max / first.bytes + 1});
  std::size_t taken = 1, bytes = first.bytes;
  while (taken < longest) {
    const TxPacket& next = packets[taken];
    if (next.bytes == 0 || next.bytes > first.bytes || bytes + next.bytes > run_bytes_max) break;
    if (next.to != first.to) break;
    bytes += next.bytes;
    ++taken;
    if (next.bytes < first.bytes) break;
  }
  return taken;
}

bool Segmentation::is_refusal(int error_number) {
  return error_number == EINVAL || error_number == EMSGSIZE || error_number == EIO ||
         error_number == EOPNOTSUPP || error_number == ENOPROTOOPT;
}

void Segmentation::refused(int error_number, std::size_t segment_bytes) {
  // Too large for the route; smaller ones may still go. Everything else concerns all sizes.
  const bool by_size = error_number == EINVAL || error_number == EMSGSIZE;
  segment_bytes_max_ = by_size ? std::min(segment_bytes_max_, segment_bytes - 1) : 0;
}

void SegmentHeader::attach(msghdr& message, std::size_t segment_bytes) {
  message.msg_control = room_.data();
  message.msg_controllen = room_.size();
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_UDP;
  header->cmsg_type = UDP_SEGMENT;
  header->cmsg_len = CMSG_LEN(sizeof(std::uint16_t));
  const auto size = static_cast<std::uint16_t>(segment_bytes);
  std::memcpy(CMSG_DATA(header), &size, sizeof size);
}

}  // namespace starling::io
