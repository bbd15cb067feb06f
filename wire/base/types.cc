#include "wire/base/types.h"

#include <utility>

namespace starling {

std::string_view to_text(WireFault fault) {
  switch (fault) {
    case WireFault::truncated:
      return "truncated";
    case WireFault::wrong_type:
      return "wrong type";
    case WireFault::out_of_range:
      return "out of range";
    case WireFault::malformed:
      return "malformed";
    case WireFault::unsupported:
      return "unsupported";
    case WireFault::too_deep:
      return "too deeply nested";
    case WireFault::too_large:
      return "too large";
    case WireFault::mismatch:
      return "mismatch";
    case WireFault::no_key:
      return "encryption required or not configured";
    case WireFault::no_space:
      return "no space";
  }
  std::unreachable();
}

}  // namespace starling
