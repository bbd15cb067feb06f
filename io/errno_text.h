// The system's words for an errno value, starting in lower case as the rest of our messages do.
#pragma once

#include <cstring>
#include <string>

namespace starling::io {

inline std::string errno_text(int error_number) {
  // strerrordesc_np: no locale, no static buffer; a null pointer for numbers it does not know.
  const char* const text = ::strerrordesc_np(error_number);
  if (text == nullptr) return "error " + std::to_string(error_number);
  std::string words = text;
  const bool acronym = words.size() > 1 && words[1] >= 'A' && words[1] <= 'Z';
  if (!acronym && words[0] >= 'A' && words[0] <= 'Z') words[0] = static_cast<char>(words[0] + 32);
  return words;
}

}  // namespace starling::io
