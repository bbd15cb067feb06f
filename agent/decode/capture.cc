#include "agent/decode/capture.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include <dlfcn.h>
#include <pcap/pcap.h>

#include "agent/addresses.h"
#include "agent/decode/tcp_flows.h"

namespace starling::agent::decode {
namespace {

// libpcap, loaded when a capture is read: it brings ten libraries, which an agent has no use for.
class Pcap {
 public:
  static std::expected<const Pcap*, std::string> load() {
    static const Pcap pcap;
    if (!pcap.problem_.empty()) return std::unexpected(pcap.problem_);
    return &pcap;
  }

  decltype(&pcap_open_offline) open_offline = nullptr;
  decltype(&pcap_datalink) datalink = nullptr;
  decltype(&pcap_datalink_val_to_name) datalink_name = nullptr;
  decltype(&pcap_next_ex) next = nullptr;
  decltype(&pcap_geterr) error = nullptr;
  decltype(&pcap_close) close = nullptr;

 private:
  Pcap() {
    // Debian's name, then everybody else's. Stays loaded.
    void* library = ::dlopen("libpcap.so.0.8", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) library = ::dlopen("libpcap.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      problem_ = std::string("captures need libpcap: ") + ::dlerror();
      return;
    }
    const auto find = [&](auto& function, const char* name) {
      function =
          reinterpret_cast<std::remove_reference_t<decltype(function)>>(::dlsym(library, name));
      if (function == nullptr) problem_ = std::string("libpcap has no ") + name;
    };
    find(open_offline, "pcap_open_offline");
    find(datalink, "pcap_datalink");
    find(datalink_name, "pcap_datalink_val_to_name");
    find(next, "pcap_next_ex");
    find(error, "pcap_geterr");
    find(close, "pcap_close");
  }

  std::string problem_;
};

struct CloseCapture {
  decltype(&pcap_close) close = nullptr;
  void operator()(pcap_t* capture) const { close(capture); }
};
using CaptureFile = std::unique_ptr<pcap_t, CloseCapture>;

// RFC 3339 in UTC with microseconds.
std::string format_time(std::int64_t time_us) {
  const auto seconds = static_cast<std::time_t>(time_us / 1'000'000);
  std::tm parts{};
  std::array<char, 64> text{};
  if (time_us < 0 || gmtime_r(&seconds, &parts) == nullptr) return std::to_string(time_us);
  std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::string micros = std::to_string(time_us % 1'000'000);
  micros.insert(0, 6 - micros.size(), '0');
  return std::string(text.data(), size) + "." + micros + "Z";
}

std::int64_t time_of(const pcap_pkthdr& header) {
  constexpr std::int64_t seconds_max = 253'402'300'799;  // the end of the year 9999
  const std::int64_t seconds = std::clamp<std::int64_t>(header.ts.tv_sec, 0, seconds_max);
  return seconds * 1'000'000 + std::clamp<std::int64_t>(header.ts.tv_usec, 0, 999'999);
}

class CaptureReader {
 public:
  CaptureReader(const CaptureOptions& options, Decoder& decoder, std::ostream& lines)
      : options_(options), decoder_(decoder), lines_(lines) {}

  void read(int link_type, Bytes frame, std::int64_t time_us) {
    ++counts_.frames;
    const auto packet = parse_frame(link_type, frame);
    if (!packet) {
      Json line{{"time", format_time(time_us)}, {"bytes", frame.size()}};
      line["error"] = fault_value(packet.error());
      return write(line);
    }
    if (packet->kind < Packet::Kind::udp || !wanted(*packet)) {
      ++counts_.passed_over;
      return;
    }
    if (packet->fragment) {
      return refuse(*packet, time_us, {"ip", "fragment offset", WireFault::unsupported, 0});
    }
    if (packet->kind == Packet::Kind::udp) return read_datagram(*packet, time_us);
    for (const TcpStream& stream : flows_.add(*packet, time_us)) write_stream(stream);
  }

  CaptureCounts finish() {
    for (const TcpStream& stream : flows_.finish()) write_stream(stream);
    counts_.passed_over += flows_.refused();
    return counts_;
  }

 private:
  bool wanted(const Packet& packet) const {
    return options_.ports.empty() || std::ranges::any_of(options_.ports, [&](std::uint16_t port) {
             return port == packet.source.port || port == packet.destination.port;
           });
  }

  void read_datagram(const Packet& packet, std::int64_t time_us) {
    ++counts_.datagrams;
    if (packet.cut_short) {
      return refuse(packet, time_us,
                    {"capture", "length", WireFault::truncated,
                     static_cast<std::uint32_t>(packet.payload.size())});
    }
    write_decoded(packet.source, packet.destination, time_us, decoder_.datagram(packet.payload));
  }

  void write_stream(const TcpStream& stream) {
    ++counts_.streams;
    Json decoded{{"transport", "tcp"}};
    if (stream.too_large) {
      decoded["error"] = fault_value({"tcp", "", WireFault::too_large, 0});
    } else {
      decoded = decoder_.stream(stream.bytes);
    }
    if (is_bad(decoded) && stream.gap) {
      decoded["error"] = fault_value({"tcp", "sequence", WireFault::truncated,
                                      static_cast<std::uint32_t>(stream.bytes.size())});
    }
    if (!stream.start_seen) decoded["start_seen"] = false;
    write_decoded(stream.source, stream.destination, stream.time_us, decoded);
  }

  void refuse(const Packet& packet, std::int64_t time_us, const WireError& fault) {
    Json decoded{{"transport", packet.kind == Packet::Kind::udp ? "udp" : "tcp"}};
    decoded["error"] = fault_value(fault);
    write_decoded(packet.source, packet.destination, time_us, decoded);
  }

  void write_decoded(const Endpoint& source, const Endpoint& destination, std::int64_t time_us,
                     const Json& decoded) {
    Json line{{"time", format_time(time_us)},
              {"source", format_endpoint(source)},
              {"destination", format_endpoint(destination)}};
    for (const auto& [key, value] : decoded.items()) line[key] = value;
    write(line);
  }

  void write(const Json& line) {
    if (is_bad(line)) ++counts_.bad;
    lines_ << to_text(line, -1) << "\n";
  }

  const CaptureOptions& options_;
  Decoder& decoder_;
  std::ostream& lines_;
  TcpFlows flows_{TcpFlows::Limits{}};
  CaptureCounts counts_;
};

}  // namespace

std::expected<CaptureCounts, std::string> decode_capture(const CaptureOptions& options,
                                                         Decoder& decoder, std::ostream& lines) {
  const auto pcap = Pcap::load();
  if (!pcap) return std::unexpected(pcap.error());
  const Pcap& library = **pcap;
  std::array<char, PCAP_ERRBUF_SIZE> complaint{};
  const CaptureFile file(library.open_offline(options.path.c_str(), complaint.data()),
                         {library.close});
  if (!file) return std::unexpected(std::string(complaint.data()));
  const int link_type = library.datalink(file.get());
  if (!is_known_link(link_type)) {
    const char* const name = library.datalink_name(link_type);
    return std::unexpected("unsupported link type " +
                           (name != nullptr ? std::string(name) : std::to_string(link_type)));
  }

  CaptureReader reader(options, decoder, lines);
  pcap_pkthdr* header = nullptr;
  const u_char* frame = nullptr;
  int status = 0;
  while ((status = library.next(file.get(), &header, &frame)) == 1) {
    reader.read(link_type, {reinterpret_cast<const std::byte*>(frame), header->caplen},
                time_of(*header));
  }
  const CaptureCounts counts = reader.finish();
  if (status == PCAP_ERROR) return std::unexpected(std::string(library.error(file.get())));
  return counts;
}

}  // namespace starling::agent::decode
