#include "io/dpdk/open.h"

#include "io/dpdk/eal.h"
#include "io/dpdk/ports.h"

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

}  // namespace starling::io
