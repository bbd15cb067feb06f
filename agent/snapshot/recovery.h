// What a snapshot file says: members that were alive, clocks, our incarnation.
//
// protocol/serf section 15; also files that Serf has written. One line is one record, later lines
// overrule earlier ones, what is not understood is skipped with a warning, and a last line without
// its end is as if it were not there. The file may have lines for a million members and any
// nonsense: it is read in pieces, a member costs about 40 bytes while it is read, and only a
// random choice of members is returned. Free functions; the caller's thread, which may block on
// the disk.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace starling::agent {

// The line that keeps our incarnation: a comment to Serf.
inline constexpr std::string_view incarnation_prefix = "# starling incarnation: ";

struct SnapshotNode {
  std::string name;
  std::string address;  // "ip:port" as the file has it, not yet looked at
};

struct Recovered {
  std::vector<SnapshotNode> nodes;  // alive at the end, in random order; at most nodes_max
  std::size_t alive = 0;            // how many there were to choose from
  std::uint64_t clock = 0, event_clock = 0, query_clock = 0;  // last seen
  std::uint32_t incarnation = 0;  // none of an earlier life was above it
  bool leave_ignored = false;     // the file says that we left, and we come back all the same
  std::vector<std::string> warnings;
  std::size_t further_warnings = 0;
};

struct RecoveryOptions {
  bool rejoin_after_leave = false;
  std::size_t nodes_max = 1024;      // returned
  std::size_t names_max = 1u << 20;  // told apart while reading; further ones are skipped
  std::uint64_t seed = 0;            // of the random choice
};

// Longer lines are not records.
inline constexpr std::size_t snapshot_line_bytes_max = 4096;

// Reads into `room` what lies at `offset`; 0 bytes: the end. The error is for the user.
using ReadAt =
    std::function<std::expected<std::size_t, std::string>(std::uint64_t offset, std::span<char>)>;

std::expected<Recovered, std::string> recover(const ReadAt& read_at,
                                              const RecoveryOptions& options);
// The same from a file; one that does not exist says nothing. Errors as Go words them.
std::expected<Recovered, std::string> recover_file(const std::string& path,
                                                   const RecoveryOptions& options);

}  // namespace starling::agent
