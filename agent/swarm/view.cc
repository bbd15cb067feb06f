#include "agent/swarm/view.h"

#include <sys/ioctl.h>

#include <algorithm>

#include <fmt/format.h>

#include "agent/durations.h"
#include "agent/swarm/figures.h"

namespace starling::agent::swarm {
namespace {

constexpr Duration page_interval = std::chrono::milliseconds(200);
constexpr Duration line_interval = std::chrono::seconds(5);

// The page's few colours. Numbers are plain, words are grey, only news are coloured.
class Brush {
 public:
  explicit Brush(bool coloured) : coloured_(coloured) {}
  std::string grey(std::string_view text) const { return paint("90", text); }
  std::string bold(std::string_view text) const { return paint("1", text); }
  std::string good(std::string_view text) const { return paint("32", text); }
  std::string bad(std::string_view text) const { return paint("31", text); }
  std::string busy(std::string_view text) const { return paint("36", text); }

 private:
  std::string paint(std::string_view code, std::string_view text) const {
    if (!coloured_) return std::string(text);
    return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
  }
  bool coloured_;
};

std::string clock_text(Duration time) {
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(time).count();
  return fmt::format("{:02}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string between(const std::string& left, const std::string& right, std::size_t columns) {
  const std::size_t used = columns_of(left) + columns_of(right);
  const std::size_t gap = columns > used ? columns - used : 1;
  return left + std::string(gap, ' ') + right;
}

std::string title(const Picture& picture, const Brush& brush, std::size_t columns) {
  const SwarmPlan& plan = *picture.plan;
  const std::string left =
      fmt::format(" {}  {} members {} {} engines", brush.bold("starling swarm"),
                  grouped(plan.options.members), brush.grey("on"), plan.options.engines);
  const std::string right =
      fmt::format("{} {}  {} ", brush.grey("probe interval"), format_duration(plan.period.period),
                  clock_text(picture.elapsed));
  return between(left, right, columns);
}

std::string agreement_text(const Picture& picture, const Brush& brush) {
  const Agreement agreement = swarm::agreement(picture.so_far->engines);
  if (agreement.agreed()) {
    return brush.good(fmt::format("all {} engines agree", agreement.engines));
  }
  return fmt::format("{} views, the most common of {} of {} engines", agreement.views,
                     agreement.holders, agreement.engines);
}

struct Row {
  std::string label, value, note;
  std::vector<double> history;
};

std::string text_of(const Row& row, const Brush& brush, std::size_t columns) {
  std::string line = " " + brush.grey(fitted(row.label, 13));
  line += std::string(columns_of(row.value) < 14 ? 14 - columns_of(row.value) : 0, ' ') +
          row.value + "  ";
  if (row.history.empty()) return line + row.note;
  // The line of the past ends at the page's right border.
  const std::size_t used = columns_of(line) + 26;
  const std::size_t room = columns > used ? std::min<std::size_t>(columns - used - 1, 60) : 0;
  return line + fitted(row.note, 26) + brush.busy(sparkline(row.history, room));
}

std::vector<double> history(const Timeline& timeline, double Sample::*value) {
  constexpr std::size_t most = 60;
  std::vector<double> values;
  const auto& samples = timeline.samples();
  for (std::size_t i = samples.size() - std::min(most, samples.size()); i < samples.size(); ++i) {
    values.push_back(samples[i].*value);
  }
  return values;
}

std::vector<Row> rows_of(const Picture& picture, const Brush& brush) {
  const Timeline& timeline = picture.so_far->timeline;
  const Sample& now = timeline.newest();
  const SwarmPlan& plan = *picture.plan;
  const double rows = static_cast<double>(plan.options.members) * plan.options.engines;
  const auto rate = [](double value) { return grouped(static_cast<std::uint64_t>(value)) + "/s"; };
  const auto alarm = [&](std::uint64_t count) {
    return count == 0 ? grouped(count) : brush.bad(grouped(count));
  };
  return {
      {"known",
       grouped(static_cast<std::uint64_t>(now.known_mean)),
       fmt::format("{} {} {} {}", grouped(now.known_min), brush.grey("to"), grouped(now.known_max),
                   brush.grey("members an engine")),
       {}},
      {"views", "", agreement_text(picture, brush), {}},
      {},
      {"probes", rate(now.probes), "", history(timeline, &Sample::probes)},
      {"packets", rate(now.packets), "", history(timeline, &Sample::packets)},
      {"traffic", bytes_text(now.bytes) + "/s", "", history(timeline, &Sample::bytes)},
      {"processor", fmt::format("{:.2f}", now.processors),
       brush.grey(fmt::format("of {} cores", plan.threads)),
       history(timeline, &Sample::processors)},
      {"memory",
       bytes_text(static_cast<double>(now.resident_bytes)),
       fmt::format("{:.0f} {}", static_cast<double>(now.resident_bytes) / rows,
                   brush.grey("bytes a member and engine")),
       {}},
      {},
      {"queued", grouped(now.queued), brush.grey("statements to gossip"), {}},
      {"suspicions",
       grouped(now.suspicions),
       fmt::format("{} {}", grouped(now.refutations), brush.grey("refuted so far")),
       {}},
      {"failures",
       grouped(now.failures),
       fmt::format("{} {}", alarm(now.false_failures), brush.grey("of them false")),
       {}},
  };
}

std::vector<std::string> acts_of(const Picture& picture, const Brush& brush, std::size_t rows) {
  std::vector<std::string> lines;
  const auto& acts = picture.plan->options.acts;
  const auto& done = picture.so_far->acts;
  // The newest are shown, and those to come as far as there is room.
  const std::size_t first = done.size() + 1 > rows ? done.size() + 1 - rows : 0;
  for (std::size_t i = first; i < acts.size() && lines.size() < rows; ++i) {
    const std::string name = fitted(acts[i].text, 20);
    if (i < done.size()) {
      lines.push_back(fmt::format(" {} {} {}", done[i].passed ? brush.good("✓") : brush.bad("✗"),
                                  name, done[i].verdict));
    } else if (i == done.size() && picture.so_far->build_up.converged) {
      lines.push_back(fmt::format(" {} {}", brush.busy("▸"), name));
    } else {
      lines.push_back("   " + brush.grey(name));
    }
  }
  return lines;
}

}  // namespace

std::vector<std::string> frame(const Picture& picture, const FrameSize& size, bool coloured) {
  const Brush brush(coloured);
  std::vector<std::string> lines;
  lines.push_back(title(picture, brush, size.columns));
  lines.emplace_back();
  std::string time = time_text(picture.doing_for);
  if (picture.bound > Duration::zero())
    time += brush.grey(" of at most ") + time_text(picture.bound);
  lines.push_back(between(" " + picture.doing, time + " ", size.columns));
  const std::string percent = fmt::format("{:5.1f} %", 100 * picture.progress);
  const std::size_t width = size.columns > 12 ? size.columns - 11 : 1;
  lines.push_back(" " + brush.busy(bar(picture.progress, width)) + "  " + percent);
  lines.emplace_back();
  for (const Row& row : rows_of(picture, brush)) {
    lines.push_back(row.label.empty() ? "" : text_of(row, brush, size.columns));
  }
  lines.emplace_back();
  const std::size_t left = size.rows > lines.size() ? size.rows - lines.size() : 0;
  for (std::string& line : acts_of(picture, brush, left)) lines.push_back(std::move(line));
  if (lines.size() > size.rows) lines.resize(size.rows);
  for (std::string& line : lines) line = fitted(line, size.columns);
  return lines;
}

std::string progress_line(const Picture& picture) {
  const Sample& now = picture.so_far->timeline.newest();
  return fmt::format(
      "{}  {}: {:.1f} %, known {} to {}, {:.0f} packets/s, {} suspicions, {:.2f} cores, {}",
      clock_text(picture.elapsed), picture.doing, 100 * picture.progress, now.known_min,
      now.known_max, now.packets, now.suspicions, now.processors,
      bytes_text(static_cast<double>(now.resident_bytes)));
}

View::View(std::ostream& out, const Options& options) : out_(out), options_(options) {}

void View::close() {
  if (!open_) return;
  open_ = false;
  // Own page off, cursor on.
  out_ << "\x1b[?1049l\x1b[?25h" << std::flush;
}

void View::show(const Picture& picture, Instant now) {
  if (!options_.page) return show_lines(picture, now);
  if (now < next_) return;
  next_ = now + page_interval;
  show_page(picture);
}

void View::show_page(const Picture& picture) {
  winsize window{};
  FrameSize size;
  if (::ioctl(options_.descriptor, TIOCGWINSZ, &window) == 0 && window.ws_col > 0) {
    size = {.columns = window.ws_col, .rows = window.ws_row};
  }
  if (!open_) out_ << "\x1b[?1049h\x1b[?25l\x1b[2J";
  open_ = true;
  std::string page = "\x1b[H";
  const std::vector<std::string> lines = frame(picture, size, options_.coloured);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    page += lines[i];
    if (i + 1 < lines.size()) page += "\r\n";
  }
  // One write, so that nobody sees half a page.
  out_ << page << "\x1b[J" << std::flush;
}

void View::show_lines(const Picture& picture, Instant now) {
  const std::vector<ActResult>& acts = picture.so_far->acts;
  for (; acts_shown_ < acts.size(); ++acts_shown_) {
    const ActResult& act = acts[acts_shown_];
    out_ << fmt::format("{}  {} {}: {}\n", clock_text(picture.elapsed),
                        act.passed ? "passed" : "FAILED", act.act.text, act.verdict);
  }
  if (picture.doing == last_doing_ && now < next_) return;
  last_doing_ = picture.doing;
  next_ = now + line_interval;
  out_ << progress_line(picture) << "\n" << std::flush;
}

}  // namespace starling::agent::swarm
