#include "agent/go_errors.h"

#include <cctype>
#include <system_error>

namespace starling::agent {

std::string go_error_text(int error_number) {
  std::string text = std::generic_category().message(error_number);
  if (!text.empty()) text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text;
}

}  // namespace starling::agent
