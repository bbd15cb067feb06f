// DpdkModule: the DPDK port as a library of its own, loaded when somebody asks for it.
//
// The problem: DPDK brings fifteen libraries, and an agent on the kernel's sockets would pay about
// a megabyte and some milliseconds of its start for them. So a program is linked either with the
// port itself (its tests) or with this file, which answers the calls of open.h by loading
// libstarling_dpdk.so from the program's own folder or from where it was installed. The library is
// of the same build as the program and has its own copy of what it uses; it stays loaded.
#pragma once

#include <expected>
#include <string>

#include "io/dpdk/open.h"

namespace starling::io {

// What the library exports under dpdk_module_symbol.
struct DpdkModule {
  // Of both sides, to tell a library of another build.
  struct Build {
    std::size_t port_options_bytes = sizeof(PortOptions);
    std::size_t port_counters_bytes = sizeof(PortCounters);
    std::size_t opened_bytes = sizeof(OpenedDpdk);
    bool operator==(const Build&) const = default;
  };
  Build build;
  decltype(&start_dpdk) start;
  decltype(&open_dpdk) open;
  decltype(&mute_datagrams) mute;
  decltype(&open_rings) rings;
};
inline constexpr const char* dpdk_module_symbol = "starling_dpdk_module";

// The error names the file and the system's words, or says that it is none or of another build.
std::expected<const DpdkModule*, std::string> load_dpdk_module(const std::string& path);

}  // namespace starling::io
