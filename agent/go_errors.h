// Operating system errors in Go's words: "connection refused", "no such file or directory".
#pragma once

#include <string>

namespace starling::agent {

// The C library's text with a small first letter, which is what Go prints on Linux for the errors
// that networks and files give.
std::string go_error_text(int error_number);

}  // namespace starling::agent
