// View: a swarm while it runs, as a calm page on a terminal or as plain lines.
//
// frame() is a pure function of the picture. View decides when to draw, at most five times a
// second, and puts the terminal back as it was when it goes. Used by the director's thread.
#pragma once

#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "agent/swarm/run_result.h"

namespace starling::agent::swarm {

struct FrameSize {
  std::size_t columns = 80;
  std::size_t rows = 24;
};
// At most `rows` lines of exactly `columns` columns.
std::vector<std::string> frame(const Picture& picture, const FrameSize& size, bool coloured);
// One line of progress.
std::string progress_line(const Picture& picture);

class View {
 public:
  struct Options {
    bool page = false;      // a page that is redrawn; otherwise lines
    bool coloured = false;  // the page
    int descriptor = 1;     // the terminal, for its size
  };
  View(std::ostream& out, const Options& options);
  ~View() { close(); }
  View(const View&) = delete;
  View& operator=(const View&) = delete;

  void show(const Picture& picture, Instant now);
  // Back to the terminal's own page.
  void close();

 private:
  void show_page(const Picture& picture);
  void show_lines(const Picture& picture, Instant now);

  std::ostream& out_;
  Options options_;
  bool open_ = false;
  Instant next_{};
  std::string last_doing_;
  std::size_t acts_shown_ = 0;
};

}  // namespace starling::agent::swarm
