#include "io/dpdk/open.h"

#include "io/dpdk/eal.h"
#include "io/dpdk/module.h"
#include "io/dpdk/ports.h"
#include "io/dpdk/ring_network.h"

namespace starling::io {

std::expected<void, std::string> start_dpdk(const PortOptions& options) {
  auto started = start_eal(options.dpdk_arguments);
  if (!started) return std::unexpected(std::move(started.error()));
  if (Device::first_free(false) || Device::first_free(true)) return {};
  std::string why =
      "DPDK found no device: give it one by -dpdk-args, such as "
      "--vdev=net_af_packet0,iface=eth0";
  if (!started->complaints.empty()) why += " (" + started->complaints + ")";
  return std::unexpected(std::move(why));
}

std::expected<std::vector<OpenedDpdk>, std::string> open_dpdk(
    PortOptions options, std::vector<std::unique_ptr<Ports>> kernels) {
  const auto started = start_eal(options.dpdk_arguments);
  if (!started) return std::unexpected(started.error());
  std::optional<DeviceNumber> main = Device::first_free(false);
  std::optional<DeviceNumber> tap = Device::first_free(true);
  if (!main) main = std::exchange(tap, std::nullopt);
  if (!main) return std::unexpected("all DPDK devices are taken");
  auto shared = SharedDevice::open(*main, tap, DpdkDatagrams::device_options(options));
  if (!shared) return std::unexpected(std::move(shared.error()));
  std::vector<OpenedDpdk> all;
  for (options.lane = 0; options.lane < kernels.size(); ++options.lane) {
    auto ports = DpdkPorts::create(options, *shared, std::move(kernels[options.lane]));
    if (!ports) return std::unexpected(std::move(ports.error()));
    std::string text =
        (*ports)->text() + (started->huge_pages ? ", huge pages" : ", ordinary pages");
    if (!started->complaints.empty()) text += " (" + started->complaints + ")";
    all.push_back({std::move(*ports), std::move(text)});
  }
  return all;
}

bool mute_datagrams(int udp_socket) {
  return mute(udp_socket);
}

std::expected<PortOpener, std::string> open_rings(std::uint32_t ports_max, const PortOptions& each,
                                                  PortOpener streams) {
  auto made = RingNetwork::create({.ports_max = ports_max, .port = each}, std::move(streams));
  if (!made) return std::unexpected(std::move(made.error()));
  auto network = std::make_shared<RingNetwork>(std::move(*made));
  return [network](const PortOptions& options) { return network->open(options); };
}

}  // namespace starling::io

// For a program that loads this port instead of being linked with it.
extern "C" {
extern const starling::io::DpdkModule starling_dpdk_module;
const starling::io::DpdkModule starling_dpdk_module{.build = {},
                                                    .start = &starling::io::start_dpdk,
                                                    .open = &starling::io::open_dpdk,
                                                    .mute = &starling::io::mute_datagrams,
                                                    .rings = &starling::io::open_rings};
}
