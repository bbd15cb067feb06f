#include "wire/crc.h"

#ifdef STARLING_ISAL
#include <isa-l/crc.h>
#else
#include <zlib.h>
#endif

#include "wire/base/bytes.h"
#include "wire/messages.h"

namespace starling {

std::uint32_t crc32_ieee(Bytes bytes) {
#ifdef STARLING_ISAL
  return crc32_gzip_refl(0, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
#else
  return static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
#endif
}

Decoded<Bytes> strip_crc(Bytes message) {
  Reader in(message, "crc");
  in.skip(1);
  const std::uint32_t announced = in.u32();
  if (!in.ok()) return std::unexpected(in.error());
  if (crc32_ieee(in.rest()) != announced) in.fail_at(WireFault::mismatch, 1);
  if (!in.ok()) return std::unexpected(in.error());
  return in.rest();
}

void fill_crc_header(std::span<std::byte, crc_header_bytes> header, Bytes inner) {
  Writer out(header);
  out.u8(static_cast<std::uint8_t>(MessageType::has_crc));
  out.u32(crc32_ieee(inner));
}

}  // namespace starling
