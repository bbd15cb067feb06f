#include <iostream>
#include <iterator>

#include "agent/cli/command.h"
#include "agent/decode/capture.h"
#include "agent/go_text.h"
#include "wire/label.h"

namespace starling::agent::cli {
namespace {

using decode::Decoder;

constexpr int gossip_port = 7946;
constexpr std::size_t keys_max = Keyring::keys_max;
constexpr std::size_t hex_bytes_max = 2 * decode::stream_bytes_max + (1u << 20);

struct DecodeFlags {
  std::string udp;
  std::string tcp;
  std::string pcap;
  std::vector<std::string> keys;
  std::string label;
  std::vector<std::string> ports;
  std::string format = "text";

  FlagSet flags() {
    FlagSet set;
    set.text({"udp", "hex", "The payload of a datagram; '-' reads it from standard input."}, udp);
    set.text({"tcp", "hex",
              "One direction of a connection, from its first byte;\n"
              "'-' reads it from standard input."},
             tcp);
    set.text({"pcap", "file",
              "A capture file (pcap or pcapng). Gives one line of JSON for\n"
              "each datagram and for each direction of a connection, and\n"
              "counts them on standard error."},
             pcap);
    set.list({"key", "base64",
              "A key that the cluster uses. May be given several times.\n"
              "With a key, everything must be encrypted."},
             keys);
    set.text({"label", "text",
              "The label that the cluster uses; anything else is bad.\n"
              "Default: any label, as it is found."},
             label);
    set.list({"port", "7946",
              "With -pcap: the port to look at. May be given several\n"
              "times; 0 means all ports."},
             ports);
    set.text({"format", "text|json", "text: JSON on many lines, to be read; json: on one line."},
             format);
    return set;
  }
};

Help decode_help() {
  DecodeFlags options;
  return help_text("decode [options]",
                   "  Shows a captured datagram or stream as JSON, layer by layer: label,\n"
                   "  encryption, checksum, compression, compound, then the messages with\n"
                   "  what Serf put inside. Exits with 1 if anything is bad; the JSON then\n"
                   "  ends with the layer, the field and the offset at fault. Offsets count\n"
                   "  from the first byte of that layer, in messages from the byte behind\n"
                   "  the type. Exactly one of -udp, -tcp and -pcap must be given.\n",
                   options.flags());
}

std::expected<std::vector<AesKey>, std::string> parse_keys(const std::vector<std::string>& texts) {
  if (texts.size() > keys_max) return std::unexpected("Too many keys");
  std::vector<AesKey> keys;
  for (const std::string& text : texts) {
    const std::string name = "Invalid key " + std::to_string(keys.size() + 1) + ": ";
    const auto raw = base64_decode(text);
    if (!raw) return std::unexpected(name + raw.error());
    const auto key = AesKey::from(as_bytes(*raw));
    if (!key) return std::unexpected(name + "it must have 16, 24 or 32 bytes");
    keys.push_back(*key);
  }
  return keys;
}

// Empty for all ports.
std::expected<std::vector<std::uint16_t>, std::string> parse_ports(
    const std::vector<std::string>& texts) {
  if (texts.empty()) return std::vector<std::uint16_t>{gossip_port};
  std::vector<std::uint16_t> ports;
  bool all = false;
  for (const std::string& text : texts) {
    const bool digits = !text.empty() && text.size() <= 5 &&
                        text.find_first_not_of("0123456789") == std::string::npos;
    const int port = digits ? std::stoi(text) : -1;
    if (port < 0 || port > UINT16_MAX) return std::unexpected("Invalid port: " + text);
    all = all || port == 0;
    ports.push_back(static_cast<std::uint16_t>(port));
  }
  if (all) ports.clear();
  return ports;
}

std::string read_input() {
  std::string text;
  std::istreambuf_iterator<char> at(std::cin);
  for (const std::istreambuf_iterator<char> end; at != end && text.size() < hex_bytes_max; ++at) {
    text += *at;
  }
  return text;
}

// What is no part of the decoded output; an object, too, where that is JSON on one line.
int complain(const Console& console, const std::string& sentence) {
  if (console.json) {
    print_json(console.err, {{"error", sentence}});
  } else {
    console.err << sentence << "\n";
  }
  return 1;
}

int decode_hex(Decoder& decoder, const DecodeFlags& options, bool udp, Console& console) {
  const std::string& given = udp ? options.udp : options.tcp;
  const auto bytes = decode::parse_hex(given == "-" ? read_input() : given);
  if (!bytes) {
    return complain(console, "Error decoding: not hexadecimal");
  }
  const decode::Json decoded = udp ? decoder.datagram(*bytes) : decoder.stream(*bytes);
  console.out << decode::to_text(decoded, options.format == "json" ? -1 : 2) << "\n";
  if (!decode::is_bad(decoded)) return 0;
  return complain(console, std::string("Bad ") + (udp ? "datagram" : "stream") + ": " +
                               decode::fault_text(decoded));
}

int decode_file(Decoder& decoder, const decode::CaptureOptions& options, Console& console) {
  const auto counts = decode::decode_capture(options, decoder, console.out);
  if (!counts) {
    return complain(console, "Error reading capture: " + counts.error());
  }
  if (console.json) {
    print_json(console.err, {{"packets", counts->frames},
                             {"datagrams", counts->datagrams},
                             {"streams", counts->streams},
                             {"bad", counts->bad},
                             {"passed_over", counts->passed_over}});
    return counts->bad == 0 ? 0 : 1;
  }
  console.err << counts->frames << " packets: " << counts->datagrams << " datagrams, "
              << counts->streams << " streams, " << counts->bad << " bad, " << counts->passed_over
              << " passed over\n";
  return counts->bad == 0 ? 0 : 1;
}

int run_decode(std::span<const std::string> arguments, Console& console) {
  DecodeFlags options;
  FlagSet flags = options.flags();
  const auto positional = parse_flags(flags, arguments, decode_help(), console);
  if (!positional) return positional.error();
  if (!positional->empty()) {
    return refuse("The decode command takes no arguments.", decode_help(), console);
  }
  const int sources = int{flags.given("udp")} + int{flags.given("tcp")} + int{flags.given("pcap")};
  if (sources != 1) {
    return refuse("Exactly one of -udp, -tcp and -pcap must be given.", decode_help(), console);
  }
  if (options.format != "text" && options.format != "json") {
    return refuse("Invalid output format " + go_quote(options.format), decode_help(), console);
  }
  auto keys = parse_keys(options.keys);
  if (!keys) return refuse(keys.error(), decode_help(), console);
  auto ports = parse_ports(options.ports);
  if (!ports) return refuse(ports.error(), decode_help(), console);
  Decoder::Options settings{.keys = std::move(*keys), .label = {}};
  if (flags.given("label")) settings.label = options.label;
  if (options.label.size() > label_bytes_max) {
    return refuse("The label is longer than 255 bytes.", decode_help(), console);
  }

  Decoder decoder(std::move(settings));
  if (flags.given("pcap")) {
    return decode_file(decoder, {.path = options.pcap, .ports = std::move(*ports)}, console);
  }
  return decode_hex(decoder, options, flags.given("udp"), console);
}

}  // namespace

Command decode_command() {
  return {"decode", "Show captured packets as JSON", decode_help(), run_decode};
}

}  // namespace starling::agent::cli
