#include "agent/script.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

namespace starling::agent {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::nanoseconds;

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    close();
    fd_ = std::exchange(other.fd_, -1);
    return *this;
  }
  ~Descriptor() { close(); }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

struct Pipe {
  Descriptor read_end, write_end;
};

// Above the standard descriptors, so that handing them to the child cannot hit one of them.
std::optional<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
  Pipe pipe{Descriptor(ends[0]), Descriptor(ends[1])};
  for (Descriptor* end : {&pipe.read_end, &pipe.write_end}) {
    if (end->get() > 2) continue;
    Descriptor higher(::fcntl(end->get(), F_DUPFD_CLOEXEC, 3));
    if (!higher.open()) return std::nullopt;
    *end = std::move(higher);
  }
  return pipe;
}

void do_not_block(const Descriptor& fd) {
  ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
}

// Of a repeated name only the last entry: programs differ in which of two they take.
std::vector<char*> environment_pointers(const std::vector<std::string>& environment) {
  std::vector<char*> pointers;
  std::set<std::string_view> names;
  for (auto entry = environment.rbegin(); entry != environment.rend(); ++entry) {
    const std::string_view text = *entry;
    if (names.insert(text.substr(0, text.find('='))).second) {
      pointers.push_back(const_cast<char*>(entry->c_str()));
    }
  }
  std::reverse(pointers.begin(), pointers.end());
  pointers.push_back(nullptr);
  return pointers;
}

// Starts the shell; the errno when that fails.
int spawn_shell(const Script& script, int input, int output, pid_t& pid) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  if (const int error = ::posix_spawn_file_actions_init(&actions)) return error;
  if (const int error = ::posix_spawnattr_init(&attributes)) {
    ::posix_spawn_file_actions_destroy(&actions);
    return error;
  }
  ::posix_spawn_file_actions_adddup2(&actions, input, 0);
  ::posix_spawn_file_actions_adddup2(&actions, output, 1);
  ::posix_spawn_file_actions_adddup2(&actions, output, 2);
  ::posix_spawn_file_actions_addclosefrom_np(&actions, 3);

  sigset_t none, all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(
      &attributes,
      static_cast<short>(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));

  std::string shell = "sh", option = "-c", command = script.command;
  const std::array<char*, 4> arguments = {shell.data(), option.data(), command.data(), nullptr};
  const std::vector<char*> environment = environment_pointers(script.environment);
  const int error =
      ::posix_spawn(&pid, "/bin/sh", &actions, &attributes, arguments.data(), environment.data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  return error;
}

// The parent's side of one running script: a loop that waits for the next of its pipes, its end,
// a stop, or a deadline.
class Run {
 public:
  Run(const Script& script, const ScriptLimits& limits, int stop_fd,
      const std::function<void()>& on_slow)
      : script_(script), limits_(limits), stop_fd_(stop_fd), on_slow_(on_slow) {}

  ScriptResult run() {
    start_ = Clock::now();
    if (const int error = start()) {
      result_.end = ScriptResult::End::not_started;
      result_.status = error;
      return std::move(result_);
    }
    if (limits_.time_limit > nanoseconds::zero()) deadline_ = start_ + limits_.time_limit;
    slow_at_ = start_ + limits_.slow_after;
    while (!finished_) step();
    keep_last_output();
    result_.elapsed = Clock::now() - start_;
    return std::move(result_);
  }

 private:
  int start() {
    std::optional<Pipe> input = make_pipe();
    std::optional<Pipe> output = make_pipe();
    if (!input || !output) return errno;
    input_ = std::move(input->write_end);
    output_ = std::move(output->read_end);
    do_not_block(input_);
    do_not_block(output_);
    if (const int error =
            spawn_shell(script_, input->read_end.get(), output->write_end.get(), pid_)) {
      return error;
    }
    // Only a wake-up: without it the loop looks for the end several times a second.
    // The library's wrapper has no C linkage in the headers of Debian 12.
    child_ = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    if (script_.input.empty()) input_.close();
    return 0;
  }

  void step() {
    wait();
    feed();
    listen();
    if (!exited_) look_for_exit();
    const Clock::time_point now = Clock::now();
    if (exited_) {
      if (!output_.open() || now >= linger_until_) finish();
      return;
    }
    if (slow_at_ && now >= *slow_at_) {
      slow_at_.reset();
      if (on_slow_) on_slow_();
    }
    if (stop_seen_ && !stop_noted_) note_stop(now);
    if (deadline_ && now >= *deadline_) press(now);
  }

  void wait() {
    std::array<pollfd, 4> events{};
    nfds_t count = 0;
    const auto add = [&](int fd, short what) { events[count++] = {fd, what, 0}; };
    if (input_.open()) add(input_.get(), POLLOUT);
    if (output_.open()) add(output_.get(), POLLIN);
    if (!exited_ && child_.open()) add(child_.get(), POLLIN);
    const nfds_t stop_at = count;
    if (!exited_ && !stop_noted_ && stop_fd_ >= 0) add(stop_fd_, POLLIN);
    ::poll(events.data(), count, timeout_ms());
    if (count > stop_at && events[stop_at].revents != 0) stop_seen_ = true;
  }

  int timeout_ms() const {
    std::optional<Clock::time_point> next;
    const auto consider = [&](Clock::time_point at) { next = next ? std::min(*next, at) : at; };
    if (exited_) {
      consider(linger_until_);
    } else {
      if (slow_at_) consider(*slow_at_);
      if (deadline_) consider(*deadline_);
      if (!child_.open()) consider(Clock::now() + std::chrono::milliseconds(20));
    }
    // Wake at least every second, whatever else: no missed event can hold the loop for long.
    consider(Clock::now() + std::chrono::seconds(1));
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*next - Clock::now());
    return static_cast<int>(std::max<std::int64_t>(left.count(), 0));
  }

  void feed() {
    if (!input_.open()) return;
    const std::string_view rest = std::string_view(script_.input).substr(fed_);
    const ssize_t written = ::write(input_.get(), rest.data(), rest.size());
    if (written >= 0) {
      fed_ += static_cast<std::size_t>(written);
      if (fed_ == script_.input.size()) input_.close();
    } else if (errno != EAGAIN && errno != EINTR) {
      input_.close();  // the script does not want to read it, which is its right
    }
  }

  void listen() {
    // At most this much before deadlines are looked at again.
    for (int reads = 0; reads < 16 && output_.open(); ++reads) {
      std::array<char, 4096> chunk;
      const ssize_t got = ::read(output_.get(), chunk.data(), chunk.size());
      if (got > 0) {
        result_.output_bytes += static_cast<std::uint64_t>(got);
        result_.output.append(chunk.data(), static_cast<std::size_t>(got));
        if (result_.output.size() > 2 * limits_.output_bytes_max) keep_last_output();
      } else if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
      } else {
        output_.close();
      }
    }
  }

  void keep_last_output() {
    if (result_.output.size() <= limits_.output_bytes_max) return;
    result_.output.erase(0, result_.output.size() - limits_.output_bytes_max);
  }

  // Does not reap yet: until then nobody else can get the number of the process group.
  void look_for_exit() {
    siginfo_t info{};
    const int got = ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
    if (got == 0 && info.si_pid == 0) return;
    exited_ = true;
    input_.close();
    linger_until_ = Clock::now() + (pressed_ ? nanoseconds::zero() : limits_.linger);
    if (pressed_) ::kill(-pid_, SIGKILL);  // what the shell started and left behind
  }

  void note_stop(Clock::time_point now) {
    stop_noted_ = true;
    if (pressed_) return;
    const Clock::time_point by = now + limits_.stop_grace;
    if (deadline_ && *deadline_ <= by) return;
    deadline_ = by;
    deadline_is_stop_ = true;
  }

  // First the polite signal, then the other one, then no more waiting.
  void press(Clock::time_point now) {
    if (pressed_ == 2) {
      finish();  // in the kernel's hands: it cannot be waited for in bounded time
      return;
    }
    ::kill(-pid_, pressed_ == 0 ? SIGTERM : SIGKILL);
    ++pressed_;
    deadline_ = now + limits_.term_grace;
  }

  void finish() {
    finished_ = true;
    int status = 0;
    const pid_t reaped = ::waitpid(pid_, &status, WNOHANG);
    if (pressed_ > 0) {
      result_.end = deadline_is_stop_ ? ScriptResult::End::stopped : ScriptResult::End::timed_out;
    } else if (reaped == pid_ && WIFSIGNALED(status)) {
      result_.end = ScriptResult::End::signalled;
      result_.status = WTERMSIG(status);
    } else {
      result_.end = ScriptResult::End::exited;
      result_.status = reaped == pid_ ? WEXITSTATUS(status) : -1;  // -1: somebody else reaped it
    }
  }

  const Script& script_;
  const ScriptLimits& limits_;
  int stop_fd_;
  const std::function<void()>& on_slow_;

  ScriptResult result_;
  pid_t pid_ = -1;
  Descriptor input_, output_, child_;
  std::size_t fed_ = 0;
  Clock::time_point start_, linger_until_;
  std::optional<Clock::time_point> deadline_, slow_at_;
  int pressed_ = 0;
  bool deadline_is_stop_ = false;
  bool stop_seen_ = false, stop_noted_ = false;
  bool exited_ = false, finished_ = false;
};

}  // namespace

std::string to_text(const ScriptResult& result) {
  switch (result.end) {
    case ScriptResult::End::exited:
      return "exit status " + std::to_string(result.status);
    case ScriptResult::End::signalled: {
      std::string name = ::strsignal(result.status);
      std::transform(name.begin(), name.end(), name.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      return "signal: " + name;
    }
    case ScriptResult::End::timed_out:
      return "ended at its time limit";
    case ScriptResult::End::stopped:
      return "ended because the agent stops";
    case ScriptResult::End::not_started:
      return std::string("not started: ") + ::strerror(result.status);
  }
  std::unreachable();
}

ScriptResult run_script(const Script& script, const ScriptLimits& limits, int stop_fd,
                        const std::function<void()>& on_slow) {
  return Run(script, limits, stop_fd, on_slow).run();
}

}  // namespace starling::agent
