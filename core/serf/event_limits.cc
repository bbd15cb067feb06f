#include "core/serf/event_limits.h"

#include <utility>

namespace starling {

namespace {

// The type byte, the map header, the four keys and the boolean.
constexpr std::size_t fixed_bytes = 1 + 1 + 3 + 1 + 6 + 5 + 8;

constexpr std::size_t raw_header_bytes(std::size_t bytes) {
  if (bytes < 32) return 1;
  return bytes <= UINT16_MAX ? 3 : 5;
}

constexpr std::size_t number_bytes(std::uint64_t number) {
  if (number < 128) return 1;
  if (number <= UINT8_MAX) return 2;
  if (number <= UINT16_MAX) return 3;
  return number <= UINT32_MAX ? 5 : 9;
}

}  // namespace

std::size_t encoded_bytes(UserEventSize size) {
  return fixed_bytes + number_bytes(to_number(size.time)) + raw_header_bytes(size.name_bytes) +
         size.name_bytes + raw_header_bytes(size.payload_bytes) + size.payload_bytes;
}

std::optional<UserEventSizeError> check_size(UserEventSize size, std::size_t limit) {
  const std::size_t plain = size.name_bytes + size.payload_bytes;
  if (plain > limit) return UserEventSizeError::configured_before_encoding;
  if (plain > user_event_bytes_sane) return UserEventSizeError::sane_before_encoding;
  const std::size_t encoded = encoded_bytes(size);
  if (encoded > limit) return UserEventSizeError::configured_after_encoding;
  if (encoded > user_event_bytes_sane) return UserEventSizeError::sane_after_encoding;
  return std::nullopt;
}

LimitText to_text(UserEventSizeError error, std::size_t limit_configured) {
  switch (error) {
    case UserEventSizeError::configured_before_encoding:
      return {"user event exceeds configured limit of ", limit_configured,
              " bytes before encoding"};
    case UserEventSizeError::sane_before_encoding:
      return {"user event exceeds sane limit of ", user_event_bytes_sane, " bytes before encoding"};
    case UserEventSizeError::configured_after_encoding:
      return {"encoded user event exceeds configured limit of ", limit_configured,
              " bytes after encoding"};
    case UserEventSizeError::sane_after_encoding:
      // Serf 0.9.4 says "before" here as well; clients may look for its words.
      return {"encoded user event exceeds sane limit of ", user_event_bytes_sane,
              " bytes before encoding"};
  }
  std::unreachable();
}

}  // namespace starling
