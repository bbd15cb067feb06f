#include "sim/command_line.h"

#include <charconv>

#include "core/shard/node_view.h"

namespace starling::sim {

namespace {

template <class Number>
std::optional<Number> number_from(std::string_view text) {
  Number value{};
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end || text.empty()) return std::nullopt;
  return value;
}

// Reads "a,b,c".
bool read_kinds(std::string_view text, FaultMask& mask) {
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::optional<FaultKind> kind = fault_kind_from(text.substr(0, comma));
    if (!kind) return false;
    mask.set(static_cast<std::size_t>(*kind));
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  return true;
}

}  // namespace

std::string_view usage() {
  return "starling_sim SEED                 a readable trace of one seed\n"
         "starling_sim --seeds N            N seeds in a row (0: until stopped); fails with the\n"
         "                                  first seed that breaks a rule\n"
         "starling_sim --reduce SEED        which kinds of fault a failing seed needs\n"
         "starling_sim --detect             when do nodes know of a death; raw samples as JSON\n"
         "starling_sim --disseminate        when do nodes have an update; raw samples as JSON\n"
         "\n"
         "  --first SEED        the first seed of --seeds, or of the repetitions (1)\n"
         "  --without A,B       leave kinds of fault out: loss duplicate reorder corrupt one_way\n"
         "                      partition crash power_loss pause slow_streams stream_loss leave\n"
         "                      set_meta user_event force_leave query\n"
         "  --nodes N           instead of what the seed draws; for measurements 64\n"
         "  --quiet             no line per seed\n"
         "  --demand-all        fail when a kind of fault or behaviour was never seen\n"
         "  --repeat R          repetitions of a measurement (20)\n"
         "  --lanes L           shards of every node (1)\n"
         "  --victims V         nodes that die at once in --detect (1)\n"
         "  --profile P         lan, wan or local, for measurements (lan)\n"
         "  --json FILE         where a measurement goes (standard output)\n";
}

std::expected<CommandLine, std::string> read_command_line(
    std::span<const std::string_view> arguments) {
  using Task = CommandLine::Task;
  CommandLine line;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--help" || argument == "-h") return CommandLine{};
    if (argument == "--quiet") {
      line.quiet = true;
      continue;
    }
    if (argument == "--demand-all") {
      line.demand_all = true;
      continue;
    }
    if (argument == "--detect" || argument == "--disseminate") {
      line.task = argument == "--detect" ? Task::detect : Task::disseminate;
      continue;
    }
    if (!argument.starts_with("-")) {
      const auto seed = number_from<std::uint64_t>(argument);
      if (!seed) return std::unexpected("not a seed: " + std::string(argument));
      line.task = Task::trace;
      line.seed = *seed;
      continue;
    }
    if (i + 1 == arguments.size()) {
      return std::unexpected(std::string(argument) + " needs a value, or is unknown");
    }
    const std::string_view value = arguments[++i];
    const auto number = number_from<std::uint64_t>(value);
    const bool wants_number =
        argument != "--without" && argument != "--profile" && argument != "--json";
    if (wants_number && !number) {
      return std::unexpected(std::string(argument) + " is unknown, or needs a number");
    }
    if (argument == "--seeds") {
      line.task = Task::campaign;
      line.seeds = *number;
    } else if (argument == "--reduce") {
      line.task = Task::reduce;
      line.seed = *number;
    } else if (argument == "--first") {
      line.first_seed = line.probe.first_seed = *number;
    } else if (argument == "--nodes") {
      if (*number < 2 || *number > nodes_max) return std::unexpected("--nodes: 2 to 4096");
      line.nodes = line.probe.nodes = *number;
    } else if (argument == "--lanes") {
      if (*number < 1 || *number > lanes_max) return std::unexpected("--lanes: 1 to 32");
      line.lanes = line.probe.lanes = static_cast<std::uint32_t>(*number);
    } else if (argument == "--repeat") {
      line.probe.repeats = *number;
    } else if (argument == "--victims") {
      line.probe.victims = *number;
    } else if (argument == "--without") {
      if (!read_kinds(value, line.without)) {
        return std::unexpected("no such kind of fault: " + std::string(value));
      }
    } else if (argument == "--profile") {
      const std::optional<Profile> profile = profile_from(value);
      if (!profile) return std::unexpected("no such profile: " + std::string(value));
      line.probe.profile = *profile;
    } else if (argument == "--json") {
      line.json = value;
    } else {
      return std::unexpected("unknown option: " + std::string(argument));
    }
  }
  return line;
}

}  // namespace starling::sim
