// CHECK and DCHECK: assertions about our own mistakes, never about input.
//
// A failed CHECK is a bug in starling. It prints the condition and the place and ends the process.
// The outside's mistakes are values (see Decoded in types.h). Used on every floor, by any thread.
#pragma once

namespace starling {

// Prints "file:line: CHECK failed: text" to standard error and aborts.
[[noreturn]] void check_failed(const char* file, int line, const char* text) noexcept;

}  // namespace starling

// Always on, also in release builds.
#define CHECK(condition)                               \
  (static_cast<bool>(condition) ? static_cast<void>(0) \
                                : ::starling::check_failed(__FILE__, __LINE__, #condition))

// Only in builds without NDEBUG; the condition must have no side effect.
#ifdef NDEBUG
#define DCHECK(condition) static_cast<void>(sizeof(static_cast<bool>(condition)))
#else
#define DCHECK(condition) CHECK(condition)
#endif
