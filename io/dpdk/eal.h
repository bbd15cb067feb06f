// Eal: DPDK's environment, started once in a process from a line of arguments.
//
// EAL is a global thing of the process: what the first caller asked for is what everybody gets.
// Any thread may start it, at start-up, before other threads write to the standard streams.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace starling::io {

// Splits as a shell does: blanks separate, '...' and "..." hold together, \ takes the next
// character as it is (within "..." only before " and \). The error says what is not closed.
std::expected<std::vector<std::string>, std::string> split_arguments(std::string_view text);

// The user's arguments behind the defaults that they do not decide themselves: no PCI scan, no
// files, 64 MiB, one core. Without huge pages DPDK takes ordinary ones.
std::vector<std::string> eal_arguments(const std::vector<std::string>& wanted, bool huge_pages);

// What a person must know of all that EAL printed before it gave up: its errors, and what the
// option parser refused.
std::string eal_failure(std::string_view printed);

struct EalStart {
  bool huge_pages = false;
  // What EAL complained of without giving up, such as a device that it left out; may be empty.
  std::string complaints;
};
// Starts EAL, or finds it started with the same arguments. The error has the whole line that EAL
// was given and its own words.
std::expected<EalStart, std::string> start_eal(std::string_view arguments);
// Whether somebody has started it, with whatever arguments.
bool eal_started();

}  // namespace starling::io
