// A capture file (pcap or pcapng) as JSON lines: each datagram, and each direction of a connection.
//
// Every line is what Decoder gives, behind "time", "source" and "destination". Packets of other
// ports than the wanted ones are passed over. Fragments cannot be decoded: the first of a datagram
// is reported as bad. One thread.
#pragma once

#include <expected>
#include <ostream>

#include "agent/decode/decoder.h"

namespace starling::agent::decode {

struct CaptureOptions {
  std::string path;
  std::vector<std::uint16_t> ports;  // source or destination; empty: all
};

struct CaptureCounts {
  std::uint64_t frames = 0;
  std::uint64_t datagrams = 0;
  std::uint64_t streams = 0;
  std::uint64_t bad = 0;
  std::uint64_t passed_over = 0;  // other protocols and ports, later fragments
};

// The error is about the file: it cannot be opened or read, or its link type is unknown. Lines
// before the fault have been written.
std::expected<CaptureCounts, std::string> decode_capture(const CaptureOptions& options,
                                                         Decoder& decoder, std::ostream& lines);

}  // namespace starling::agent::decode
