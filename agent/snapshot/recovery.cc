#include "agent/snapshot/recovery.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>
#include <unordered_map>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>

#include "agent/go_text.h"
#include "core/base/hash.h"
#include "core/base/rng.h"
#include "core/shard/options.h"
#include "io/errno_text.h"
#include "io/file.h"

namespace starling::agent {
namespace {

constexpr std::size_t piece_bytes = 64 * 1024;
constexpr std::size_t warnings_max = 8;

// Go's strconv.ParseUint with base 10.
template <class Number>
std::optional<Number> number_from(std::string_view text) {
  Number value{};
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || at != end || text.empty()) return std::nullopt;
  return value;
}

// "NAME ADDRESS"; a name may contain spaces, an address does not.
std::optional<SnapshotNode> node_from(std::string_view text) {
  const std::size_t space = text.rfind(' ');
  if (space == std::string_view::npos) return std::nullopt;
  return SnapshotNode{std::string(text.substr(0, space)), std::string(text.substr(space + 1))};
}

constexpr std::string_view alive_prefix = "alive: ";

class Recovery {
 public:
  explicit Recovery(const RecoveryOptions& options) : options_(options) {}

  void take(std::string_view piece);
  std::expected<Recovered, std::string> finish(const ReadAt& read_at);

 private:
  void on_line(std::string_view line, std::uint64_t offset);
  void on_alive(std::string_view text, std::uint64_t offset);
  void on_clock(std::string_view text, std::uint64_t& clock);
  void on_leave();
  void warn(std::string text) {
    if (result_.warnings.size() < warnings_max) {
      result_.warnings.push_back(std::move(text));
    } else {
      ++result_.further_warnings;
    }
  }

  const RecoveryOptions& options_;
  Recovered result_;
  // Where the newest line of each member that is alive begins, by the hash of its name.
  std::unordered_map<std::uint64_t, std::uint64_t> alive_;
  bool names_full_ = false;
  std::string line_;            // the part that has come
  std::uint64_t line_at_ = 0;   // where it begins
  std::uint64_t position_ = 0;  // behind the last byte that was taken
  bool too_long_ = false;
};

void Recovery::take(std::string_view piece) {
  while (!piece.empty()) {
    const std::size_t end = piece.find('\n');
    const std::string_view part = piece.substr(0, end);
    if (line_.size() + part.size() > snapshot_line_bytes_max) too_long_ = true;
    if (!too_long_) line_ += part;
    position_ += part.size();
    if (end == std::string_view::npos) return;
    ++position_;
    if (too_long_) {
      warn(fmt::format("line at byte {} is too long", line_at_));
    } else {
      on_line(line_, line_at_);
    }
    piece.remove_prefix(end + 1);
    line_.clear();
    line_at_ = position_;
    too_long_ = false;
  }
}

void Recovery::on_line(std::string_view line, std::uint64_t offset) {
  const auto after = [&](std::string_view prefix) -> std::optional<std::string_view> {
    if (!line.starts_with(prefix)) return std::nullopt;
    return line.substr(prefix.size());
  };
  if (const auto alive = after(alive_prefix)) return on_alive(*alive, offset);
  if (const auto name = after("not-alive: ")) {
    alive_.erase(to_number(hash_name(*name)));
    return;
  }
  if (const auto text = after("clock: ")) return on_clock(*text, result_.clock);
  if (const auto text = after("event-clock: ")) return on_clock(*text, result_.event_clock);
  if (const auto text = after("query-clock: ")) return on_clock(*text, result_.query_clock);
  if (after("coordinate: ")) return;  // of old versions
  if (line == "leave") return on_leave();
  if (const auto text = after(incarnation_prefix)) {
    const auto incarnation = number_from<std::uint32_t>(*text);
    if (incarnation && *incarnation <= earlier_incarnation_max) {
      result_.incarnation = *incarnation;
    } else {
      warn("no incarnation: " + go_quote(*text));
    }
    return;
  }
  if (line.starts_with('#')) return;
  warn("unrecognized line: " + go_quote(line));
}

void Recovery::on_alive(std::string_view text, std::uint64_t offset) {
  const std::size_t space = text.rfind(' ');
  if (space == std::string_view::npos) return warn("no address: " + go_quote(text));
  const std::uint64_t hash = to_number(hash_name(text.substr(0, space)));
  if (const auto known = alive_.find(hash); known != alive_.end()) {
    known->second = offset;
  } else if (alive_.size() < options_.names_max) {
    alive_.emplace(hash, offset);
  } else if (!std::exchange(names_full_, true)) {
    warn(fmt::format("more than {} members alive, the rest is skipped", options_.names_max));
  }
}

void Recovery::on_clock(std::string_view text, std::uint64_t& clock) {
  if (const auto value = number_from<std::uint64_t>(text)) {
    clock = *value;
  } else {
    warn("no clock: " + go_quote(text));
  }
}

void Recovery::on_leave() {
  if (options_.rejoin_after_leave) {
    result_.leave_ignored = true;
    return;
  }
  alive_.clear();
  names_full_ = false;
  result_.clock = result_.event_clock = result_.query_clock = 0;
}

// What is left unterminated is not looked at.
std::expected<Recovered, std::string> Recovery::finish(const ReadAt& read_at) {
  result_.alive = alive_.size();
  std::vector<std::uint64_t> offsets;
  offsets.reserve(std::min(alive_.size(), options_.nodes_max));
  Rng rng(options_.seed);
  std::size_t seen = 0;
  for (const auto& [hash, offset] : alive_) {
    ++seen;
    if (offsets.size() < options_.nodes_max) {
      offsets.push_back(offset);
    } else if (const std::size_t place = rng.below(seen); place < offsets.size()) {
      offsets[place] = offset;
    }
  }
  rng.shuffle(std::span(offsets));
  std::string line;
  for (const std::uint64_t offset : offsets) {
    line.resize(snapshot_line_bytes_max + 1);
    const auto count = read_at(offset, line);
    if (!count) return std::unexpected(count.error());
    line.resize(*count);
    const std::size_t end = line.find('\n');
    if (end == std::string::npos || !line.starts_with(alive_prefix)) {
      return std::unexpected("the file changed while it was read");
    }
    const std::string_view text = std::string_view(line).substr(0, end);
    if (auto node = node_from(text.substr(alive_prefix.size()))) {
      result_.nodes.push_back(std::move(*node));
    }
  }
  return std::move(result_);
}

}  // namespace

std::expected<Recovered, std::string> recover(const ReadAt& read_at,
                                              const RecoveryOptions& options) {
  Recovery recovery(options);
  std::vector<char> piece(piece_bytes);
  for (std::uint64_t offset = 0;;) {
    const auto count = read_at(offset, piece);
    if (!count) return std::unexpected(count.error());
    if (*count == 0) return recovery.finish(read_at);
    recovery.take({piece.data(), *count});
    offset += *count;
  }
}

std::expected<Recovered, std::string> recover_file(const std::string& path,
                                                   const RecoveryOptions& options) {
  const io::File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.open()) {
    if (errno == ENOENT) return Recovered{};
    return std::unexpected("open " + path + ": " + io::errno_text(errno));
  }
  return recover(
      [&](std::uint64_t offset, std::span<char> room) -> std::expected<std::size_t, std::string> {
        for (;;) {
          const ssize_t count =
              pread(file.descriptor(), room.data(), room.size(), static_cast<off_t>(offset));
          if (count >= 0) return static_cast<std::size_t>(count);
          if (errno != EINTR) return std::unexpected("read " + path + ": " + io::errno_text(errno));
        }
      },
      options);
}

}  // namespace starling::agent
