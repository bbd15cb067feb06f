#include "agent/swarm/swarm_options.h"

#include <charconv>

#include "agent/durations.h"
#include "agent/swarm/population.h"

namespace starling::agent::swarm {
namespace {

constexpr unsigned threads_max = 256;

template <class Number>
FlagSet::Setter number(Number& target) {
  return [&target](std::string_view text) -> std::optional<std::string> {
    const char* const end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, target);
    if (error == std::errc::result_out_of_range) return "value out of range";
    if (error != std::errc() || at != end) return "parse error";
    return std::nullopt;
  };
}

FlagSet::Setter duration(Duration& target) {
  return [&target](std::string_view text) -> std::optional<std::string> {
    const auto value = parse_duration(text);
    if (!value) return value.error();
    if (*value <= Duration::zero()) return "must be above 0";
    target = *value;
    return std::nullopt;
  };
}

template <class Choice>
FlagSet::Setter choice(Choice& target, std::optional<Choice> (*from)(std::string_view)) {
  return [&target, from](std::string_view text) -> std::optional<std::string> {
    const std::optional<Choice> value = from(text);
    if (!value) return "no such choice";
    target = *value;
    return std::nullopt;
  };
}

FlagSet::Setter gibibytes(std::uint64_t& target) {
  return [&target](std::string_view text) -> std::optional<std::string> {
    double value = 0;
    const char* const end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || at != end) return "parse error";
    if (!(value > 0) || value > 1e6) return "must be above 0 and at most 1000000";
    target = static_cast<std::uint64_t>(value * static_cast<double>(1u << 30));
    return std::nullopt;
  };
}

}  // namespace

std::optional<SwarmPort> swarm_port_from(std::string_view text) {
  if (text == "memory") return SwarmPort::memory;
  if (text == "uring") return SwarmPort::uring;
  if (text == "sockets") return SwarmPort::sockets;
  if (text == "rings") return SwarmPort::rings;
  return std::nullopt;
}

std::string_view to_text(SwarmPort port) {
  switch (port) {
    case SwarmPort::memory:
      return "memory";
    case SwarmPort::uring:
      return "uring";
    case SwarmPort::sockets:
      return "sockets";
    case SwarmPort::rings:
      return "rings";
  }
  return "";
}

FlagSet SwarmFlags::flags() {
  FlagSet set;
  set.custom({"members", "1000", "Members of the cluster, at most 10000000."},
             number(options_.members));
  set.custom({"engines", "16", "Engines that host them, each with a table of all members."},
             number(options_.engines));
  set.custom({"threads", "cores", "Threads that run the engines. Default: one a core."},
             number(options_.threads));
  set.custom({"port", "memory|rings|uring|sockets",
              "How packets travel: within the process (rings: DPDK's), or\n"
              "over loopback, each engine at an address of its own."},
             choice(options_.port, swarm_port_from));
  set.custom({"period", "duration",
              "The probe interval; the profile's other times go with it.\n"
              "Default: as long as the machine needs to stay at most 60 %\n"
              "busy, at least the profile's."},
             duration(options_.period));
  set.custom({"profile", "lan|wan|local", "Which of Serf's timings to start from."},
             choice(options_.profile, profile_from));
  set.boolean({"encrypt", "", "Encrypt everything with a key of the run."}, options_.encrypt);
  set.boolean({"compress", "", "Compress packets, as agents do; it takes much time."},
              options_.compress);
  set.custom({"seed", "1", "Of every random choice of the swarm and its engines."},
             number(options_.seed));
  set.text({"kill", "K", "End K random members without a word."}, kill_);
  set.boolean({"kill-engine", "", "End an engine and all it hosts."}, kill_engine_);
  set.text({"partition", "duration", "Cut the engines into halves for so long."}, partition_);
  set.text({"churn", "R/s:duration", "R members a second end and come back for so long."}, churn_);
  set.text({"loss", "P%[:duration]",
            "Lose datagrams with this probability for so long.\n"
            "Default: 20 probe intervals."},
           loss_);
  set.text({"acts", "script",
            "Acts in this order: \"kill K; wait 10s; partition 1m;\n"
            "churn R/s:20s; loss 5%:30s; update K; leave K; kill-engine\"."},
           acts_);
  set.list({"act", "act", "One act; may be given several times."}, act_list_);
  set.text({"json", "file", "Write the results there; docs/swarm-json.md explains them."},
           options_.json_path);
  set.boolean({"no-view", "", "Plain lines of progress even on a terminal."}, no_view_);
  set.custom({"limit-memory", "GiB",
              "Refuse to start when more would be needed.\n"
              "Default: nine tenths of what is free."},
             gibibytes(options_.memory_bytes_max));
  set.custom({"timeout", "duration",
              "End the run after so long, as failed.\n"
              "Default: the sum of the protocol's bounds."},
             duration(options_.timeout));
  return set;
}

std::expected<SwarmOptions, std::string> SwarmFlags::finish() {
  std::string script;
  const auto add = [&](std::string_view word, const std::string& argument) {
    if (!argument.empty()) script += std::string(word) + argument + ";";
  };
  add("kill ", kill_);
  if (kill_engine_) script += "kill-engine;";
  add("partition ", partition_);
  add("churn ", churn_);
  add("loss ", loss_);
  add("", acts_);
  for (const std::string& act : act_list_) add("", act);
  auto acts = parse_acts(script);
  if (!acts) return std::unexpected(acts.error());
  options_.acts = std::move(*acts);
  options_.view = !no_view_;
  if (auto problem = problem_with(options_)) return std::unexpected(*std::move(problem));
  return options_;
}

std::optional<std::string> problem_with(const SwarmOptions& options) {
  const auto sentence = [](std::string_view name, std::uint64_t value, std::string_view rule) {
    return std::string(name) + " is " + std::to_string(value) + ", it must be " + std::string(rule);
  };
  if (options.engines < 2 || options.engines > engines_limit) {
    return sentence("engines", options.engines,
                    "at least 2 and at most " + std::to_string(engines_limit));
  }
  if (options.members < options.engines || options.members > MemberName::numbers_end) {
    return sentence("members", options.members, "at least engines and at most 10000000");
  }
  if (options.threads > threads_max) return sentence("threads", options.threads, "at most 256");
  if (options.period != Duration::zero() && options.period < std::chrono::milliseconds(10)) {
    return "period is below 10ms, where a turn of the engines is no longer short";
  }
  std::uint64_t gone = 0;
  std::uint64_t engines_gone = 0;
  for (const Act& act : options.acts) {
    const bool ends = act.kind == ActKind::kill || act.kind == ActKind::leave;
    if (ends) gone += act.count;
    if (act.kind == ActKind::kill_engine) {
      ++engines_gone;
      gone += options.members / options.engines + 1;
    }
    if (act.kind == ActKind::update && act.count > options.members) {
      return "act \"" + act.text + "\": there are not so many members";
    }
    // What is left must still be a cluster in which every engine has a voice.
    if (gone > options.members / 2) {
      return "act \"" + act.text + "\": more than half of all members would be gone";
    }
  }
  if (engines_gone * 2 > options.engines) return "more than half of all engines would be gone";
  return std::nullopt;
}

}  // namespace starling::agent::swarm
