#include "io/dpdk/eal.h"

#include <pthread.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>

#include "io/errno_text.h"
#include "io/file.h"

namespace starling::io {

namespace {

constexpr std::uint64_t memory_mib = 64;

bool names(const std::string& argument, std::string_view option) {
  return argument == option ||
         (argument.starts_with(option) && (argument[option.size()] == '=' || option.size() == 2));
}

bool any_names(const std::vector<std::string>& arguments,
               std::initializer_list<std::string_view> options) {
  return std::ranges::any_of(arguments, [&](const std::string& argument) {
    return std::ranges::any_of(options, [&](std::string_view o) { return names(argument, o); });
  });
}

// Free huge pages of any size, in MiB.
std::uint64_t free_huge_mib() {
  std::uint64_t kib = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/sys/kernel/mm/hugepages", error)) {
    const std::string name = entry.path().filename();  // hugepages-2048kB
    std::uint64_t free = 0;
    std::ifstream(entry.path() / "free_hugepages") >> free;
    if (name.starts_with("hugepages-")) {
      kib +=
          free * std::strtoull(name.c_str() + std::string_view("hugepages-").size(), nullptr, 10);
    }
  }
  return kib / 1024;
}

std::string first_core() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  ::sched_getaffinity(0, sizeof allowed, &allowed);
  for (unsigned core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &allowed)) return std::to_string(core);
  }
  return "0";
}

// EAL pins the thread that starts it; this gives the thread its cores back.
class KeptAffinity {
 public:
  KeptAffinity() { ::pthread_getaffinity_np(::pthread_self(), sizeof cores_, &cores_); }
  ~KeptAffinity() { ::pthread_setaffinity_np(::pthread_self(), sizeof cores_, &cores_); }
  KeptAffinity(const KeptAffinity&) = delete;
  KeptAffinity& operator=(const KeptAffinity&) = delete;

 private:
  cpu_set_t cores_{};
};

// EAL, its drivers and the option parser print errors straight to the standard error stream, and a
// help page to the standard output; this catches both for as long as it lives.
class CaughtOutput {
 public:
  CaughtOutput() {
    std::fflush(nullptr);
    for (std::size_t i = 0; i < kept_.size(); ++i) {
      const int stream = static_cast<int>(i) + STDOUT_FILENO;
      caught_[i] = File(::memfd_create("eal", MFD_CLOEXEC));
      kept_[i] = File(::dup(stream));
      if (caught_[i].open() && kept_[i].open()) ::dup2(caught_[i].descriptor(), stream);
    }
  }
  ~CaughtOutput() { restore(); }
  CaughtOutput(const CaughtOutput&) = delete;
  CaughtOutput& operator=(const CaughtOutput&) = delete;

  // The errors.
  std::string text() {
    restore();
    constexpr std::size_t bytes_max = 65'536;  // some lines for each device
    std::string text(bytes_max, '\0');
    const ssize_t got = ::pread(caught_[1].descriptor(), text.data(), text.size(), 0);
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return text;
  }

 private:
  void restore() {
    std::fflush(nullptr);
    for (std::size_t i = 0; i < kept_.size(); ++i) {
      if (kept_[i].open()) ::dup2(kept_[i].descriptor(), static_cast<int>(i) + STDOUT_FILENO);
      kept_[i].close();
    }
  }
  std::array<File, 2> caught_, kept_;
};

struct Started {
  std::string arguments;
  EalStart start;
};
std::optional<Started>& started() {
  static std::optional<Started> started;
  return started;
}

}  // namespace

std::expected<std::vector<std::string>, std::string> split_arguments(std::string_view text) {
  std::vector<std::string> words;
  std::optional<std::string> word;
  char quote = '\0';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool blank = c == ' ' || c == '\t' || c == '\n';
    if (quote == '\0' && blank) {
      if (word) words.push_back(std::move(*word));
      word.reset();
      continue;
    }
    if (!word) word.emplace();
    if (c == quote) {
      quote = '\0';
    } else if (quote == '\0' && (c == '\'' || c == '"')) {
      quote = c;
    } else if (c == '\\' && quote != '\'') {
      if (i + 1 == text.size()) return std::unexpected("nothing follows the last \\");
      const char next = text[i + 1];
      const bool escapes = quote == '\0' || next == '"' || next == '\\';
      if (escapes) ++i;
      word->push_back(escapes ? next : c);
    } else {
      word->push_back(c);
    }
  }
  if (quote != '\0') return std::unexpected(std::string(1, quote) + " is not closed");
  if (word) words.push_back(std::move(*word));
  return words;
}

std::vector<std::string> eal_arguments(const std::vector<std::string>& wanted, bool huge_pages) {
  std::vector<std::string> all{"starling"};
  const auto unless = [&](std::initializer_list<std::string_view> decided,
                          std::initializer_list<std::string> defaults) {
    if (!any_names(wanted, decided)) all.insert(all.end(), defaults);
  };
  const bool ordinary = any_names(wanted, {"--no-huge"}) ||
                        (!huge_pages && !any_names(wanted, {"--in-memory", "--legacy-mem",
                                                            "--socket-mem", "--huge-dir"}));
  if (ordinary) {
    unless({"--no-huge"}, {"--no-huge"});
    unless({"--no-shconf"}, {"--no-shconf"});
  } else {
    unless({"--in-memory", "--huge-dir", "--file-prefix", "--proc-type", "--legacy-mem"},
           {"--in-memory"});
  }
  unless({"-a", "--allow", "-b", "--block", "--no-pci"}, {"--no-pci"});
  unless({"-m", "--socket-mem"}, {"-m", std::to_string(memory_mib)});
  unless({"--telemetry", "--no-telemetry"}, {"--no-telemetry"});
  unless({"-l", "-c", "--lcores", "-s", "-S"}, {"-l", first_core()});
  all.insert(all.end(), wanted.begin(), wanted.end());
  return all;
}

std::string eal_failure(std::string_view printed) {
  // Lines that only report progress.
  constexpr std::array<std::string_view, 8> idle{"Detected ",
                                                 "Multi-process socket",
                                                 "Selected IOVA",
                                                 "Static memory layout",
                                                 "No available",
                                                 "VFIO support",
                                                 "Physical addresses are unavailable",
                                                 "Probe PCI"};
  std::string failure;
  while (!printed.empty()) {
    const std::size_t end = std::min(printed.find('\n'), printed.size());
    std::string_view line = printed.substr(0, end);
    printed.remove_prefix(std::min(end + 1, printed.size()));
    if (const std::size_t colon = line.find(": "); colon != std::string_view::npos) {
      const std::string_view who = line.substr(0, colon);
      if (who == "EAL" || who == "starling") line.remove_prefix(colon + 2);
    }
    while (!line.empty() && (line.back() == ' ' || line.back() == '\r')) line.remove_suffix(1);
    const bool progress =
        std::ranges::any_of(idle, [&](std::string_view start) { return line.starts_with(start); });
    if (line.empty() || progress || failure.find(line) != std::string::npos) continue;
    if (!failure.empty()) failure += "; ";
    failure += line;
  }
  return failure;
}

bool eal_started() {
  return started().has_value();
}

std::expected<EalStart, std::string> start_eal(std::string_view arguments) {
  if (started()) {
    if (started()->arguments == arguments) return started()->start;
    return std::unexpected("DPDK was started with other arguments: " + started()->arguments);
  }
  const auto wanted = split_arguments(arguments);
  if (!wanted) return std::unexpected("DPDK arguments: " + wanted.error());
  const std::vector<std::string> words = eal_arguments(*wanted, free_huge_mib() >= memory_mib);
  // EAL moves the pointers about and keeps some of them.
  static std::vector<std::string> kept;
  kept = words;
  std::vector<char*> pointers;
  for (std::string& word : kept) pointers.push_back(word.data());
  pointers.push_back(nullptr);

  const KeptAffinity affinity;
  CaughtOutput output;
  const int result = rte_eal_init(static_cast<int>(kept.size()), pointers.data());
  const int error_number = rte_errno;
  const std::string printed = output.text();
  if (result < 0) {
    std::string line;
    for (std::size_t i = 1; i < words.size(); ++i) line += (i > 1 ? " " : "") + words[i];
    const std::string failure = eal_failure(printed);
    return std::unexpected("start DPDK with \"" + line +
                           "\": " + (failure.empty() ? errno_text(error_number) : failure));
  }
  started() = {
      std::string(arguments),
      {.huge_pages = !any_names(words, {"--no-huge"}), .complaints = eal_failure(printed)}};
  return started()->start;
}

}  // namespace starling::io
