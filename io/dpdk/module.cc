#include "io/dpdk/module.h"

#include <dlfcn.h>
#include <unistd.h>

#include <array>

namespace starling::io {

namespace {

// Beside the program, else where it was installed; both as trusted as the program.
std::string module_path() {
  constexpr std::string_view file = "libstarling_dpdk.so";
  std::array<char, 4096> program{};
  const ssize_t length = ::readlink("/proc/self/exe", program.data(), program.size());
  if (length > 0 && static_cast<std::size_t>(length) < program.size()) {
    std::string path(program.data(), static_cast<std::size_t>(length));
    path = path.substr(0, path.rfind('/') + 1).append(file);
    if (::access(path.c_str(), R_OK) == 0) return path;
  }
  return std::string(STARLING_MODULES "/").append(file);
}

std::expected<const DpdkModule*, std::string> loaded_module() {
  static const std::expected<const DpdkModule*, std::string> module =
      load_dpdk_module(module_path());
  return module;
}

}  // namespace

std::expected<const DpdkModule*, std::string> load_dpdk_module(const std::string& path) {
  void* const library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* const why = ::dlerror();
    return std::unexpected(std::string("dpdk: ") + (why != nullptr ? why : path.c_str()));
  }
  const auto* const module = static_cast<const DpdkModule*>(::dlsym(library, dpdk_module_symbol));
  if (module == nullptr) {
    ::dlclose(library);
    return std::unexpected("dpdk: " + path + ": not starling's DPDK port");
  }
  if (module->build != DpdkModule::Build{}) {
    return std::unexpected("dpdk: " + path + ": of another build than this program");
  }
  return module;
}

std::expected<void, std::string> start_dpdk(const PortOptions& options) {
  const auto module = loaded_module();
  if (!module) return std::unexpected(module.error());
  return (*module)->start(options);
}

std::expected<std::vector<OpenedDpdk>, std::string> open_dpdk(
    PortOptions options, std::vector<std::unique_ptr<Ports>> kernels) {
  const auto module = loaded_module();
  if (!module) return std::unexpected(module.error());
  return (*module)->open(std::move(options), std::move(kernels));
}

std::expected<PortOpener, std::string> open_rings(std::uint32_t ports_max, const PortOptions& each,
                                                  PortOpener streams) {
  const auto module = loaded_module();
  if (!module) return std::unexpected(module.error());
  return (*module)->rings(ports_max, each, std::move(streams));
}

bool mute_datagrams(int udp_socket) {
  const auto module = loaded_module();
  return module && (*module)->mute(udp_socket);
}

}  // namespace starling::io
