// How large a user event may be, checked before it is sent.
//
// protocol/serf section 9. Pure functions; any thread. The encoded size is computed, not measured,
// so that an event can be refused before any buffer is touched.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "wire/base/types.h"

namespace starling {

// No configuration may go beyond this.
inline constexpr std::size_t user_event_bytes_sane = 9216;
inline constexpr std::size_t user_event_bytes_default = 512;

struct UserEventSize {
  std::size_t name_bytes = 0;
  std::size_t payload_bytes = 0;
  LamportTime time{};  // of the event clock; the encoding grows with it
};

// In the order in which they are checked.
enum class UserEventSizeError : std::uint8_t {
  configured_before_encoding,
  sane_before_encoding,
  configured_after_encoding,
  sane_after_encoding,
};

// The encoded message with its type byte, exactly.
std::size_t encoded_bytes(UserEventSize size);

// The first limit that the event breaks, if any. `limit` is the configured one.
std::optional<UserEventSizeError> check_size(UserEventSize size, std::size_t limit);

// The message for the user is `before`, then the number `limit`, then `after`.
struct LimitText {
  std::string_view before;
  std::size_t limit = 0;
  std::string_view after;
};
LimitText to_text(UserEventSizeError error, std::size_t limit_configured);

// A configured limit beyond the sane one refuses to start with this text.
inline constexpr std::string_view user_event_limit_error =
    "user event size limit exceeds limit of 9216 bytes";

}  // namespace starling
