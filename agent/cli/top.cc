#include <algorithm>
#include <chrono>
#include <iostream>

#include <sys/ioctl.h>
#include <unistd.h>

#include "agent/cli/command.h"
#include "agent/cli/interrupt.h"
#include "agent/cli/top_view.h"
#include "agent/durations.h"

namespace starling::agent::cli {
namespace {

constexpr Duration interval_min = std::chrono::milliseconds(50);
constexpr Duration interval_max = std::chrono::hours(24);

struct TopFlags {
  RpcFlags rpc;
  FormatFlag format;
  Duration interval = std::chrono::seconds(1);
  std::optional<int> count;
  FlagSet flags() {
    FlagSet set;
    set.text({"format", "text|json", "text: a page, or lines; json: an object on a line."},
             format.format);
    set.custom({"interval", "1s", "How long from one look to the next; at least 50ms."},
               [this](std::string_view text) -> std::optional<std::string> {
                 const auto parsed = parse_duration(text);
                 if (!parsed) return "parse error";
                 if (*parsed < interval_min || *parsed > interval_max) return "out of range";
                 interval = *parsed;
                 return std::nullopt;
               });
    set.integer({"count", "N", "End after so many looks. Default: when interrupted."}, count);
    rpc.define(set);
    return set;
  }
};

Help top_help() {
  TopFlags options;
  return help_text("top [options]",
                   "  Watches a cluster through one agent: members by state, probes, packets\n"
                   "  and traffic, queues, digests, and who suspects whom. On a terminal it is\n"
                   "  a page that is drawn again in place, elsewhere a line each time. Rates\n"
                   "  are since the look before, and zero in the first.\n",
                   options.flags());
}

// The terminal's other page, without a cursor; as it was when this goes.
class Page {
 public:
  Page(std::ostream& out, bool coloured) : out_(out), coloured_(coloured) {
    out_ << "\x1b[?1049h\x1b[?25l\x1b[2J";
  }
  ~Page() { out_ << "\x1b[?1049l\x1b[?25h" << std::flush; }
  Page(const Page&) = delete;
  Page& operator=(const Page&) = delete;

  void show(const TopFigures& figures) {
    winsize window{};
    TopSize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0) {
      size = {.columns = window.ws_col, .rows = window.ws_row};
    }
    const std::vector<std::string> lines = top_frame(figures, size, coloured_);
    std::string page = "\x1b[H";
    for (std::size_t i = 0; i < lines.size(); ++i) {
      page += lines[i] + "\x1b[K";
      if (i + 1 < lines.size()) page += "\r\n";
    }
    // One write, so that nobody sees half a page.
    out_ << page << "\x1b[J" << std::flush;
  }

 private:
  std::ostream& out_;
  bool coloured_;
};

int run_top(std::span<const std::string> arguments, Console& console) {
  TopFlags options;
  FlagSet flags = options.flags();
  const auto positional = parse_flags(flags, arguments, top_help(), console);
  if (!positional) return positional.error();
  if (!positional->empty()) return refuse("top takes no arguments", top_help(), console);
  if (const auto problem = options.format.problem()) return console.fail(*problem);
  if (options.count && *options.count < 1) {
    return console.fail("-count must be at least 1");
  }
  std::optional<RpcClient> client = connect(options.rpc, console);
  if (!client) return 1;

  using Clock = std::chrono::steady_clock;
  const bool lines = options.format.json() || &console.out != &std::cout || isatty(1) != 1;
  const InterruptDescriptor interrupt;
  std::optional<Page> page;
  std::optional<Stats> before;
  Clock::time_point asked_before{};
  for (int look = 1;; ++look) {
    const Clock::time_point asked = Clock::now();
    auto stats = client->stats();
    if (!stats) {
      page.reset();
      return console.fail("Error querying agent: " + stats.error());
    }
    const TopFigures figures = top_figures(*stats, before, asked - asked_before);
    if (options.format.json()) {
      print_json(console.out, top_json(figures));
    } else if (lines) {
      console.out << top_line(figures) << "\n" << std::flush;
    } else {
      if (!page) page.emplace(console.out, console.coloured);
      page->show(figures);
    }
    if (options.count && look >= *options.count) return 0;
    before = std::move(*stats);
    asked_before = asked;
    const Duration left = std::max<Duration>(options.interval - (Clock::now() - asked), Duration{});
    if (interrupt.wait(std::chrono::ceil<std::chrono::milliseconds>(left))) return 0;
  }
}

}  // namespace

Command top_command() {
  return {"top", "Watch a cluster and an agent's engine", top_help(), run_top};
}

}  // namespace starling::agent::cli
