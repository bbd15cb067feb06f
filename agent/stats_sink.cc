#include "agent/stats_sink.h"

#include <cerrno>
#include <utility>

#include <sys/socket.h>

#include "io/address.h"
#include "io/errno_text.h"

namespace starling::agent {

StatsSink::StatsSink(EventLoop& loop, Resolver& resolver, Log& log, Options options)
    : loop_(loop), resolver_(resolver), log_(log), options_(std::move(options)) {
  look_up();
}

StatsSink::~StatsSink() {
  *here_ = false;
  if (flush_timer_ != 0) {
    loop_.cancel(flush_timer_);
    flush();  // the last words
  }
  loop_.cancel(retry_timer_);
  if (socket_.open()) loop_.forget(socket_.descriptor());
}

void StatsSink::look_up() {
  resolver_.resolve(options_.address, default_port,
                    [this, here = here_](const Resolver::Answer& answer) {
                      if (!*here) return;
                      if (!answer) return failed(answer.error());
                      connect(answer->endpoints.front());
                    });
}

void StatsSink::connect(const Endpoint& endpoint) {
  const int family = io::family_of(endpoint.address);
  io::SocketAddress address;
  const int kind = options_.kind == Kind::statsd ? SOCK_DGRAM : SOCK_STREAM;
  socket_ = io::File(socket(family, kind | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket_.open() || !io::to_socket_address(endpoint, family, io::Zone::none, address)) {
    return failed("no way to this address");
  }
  if (::connect(socket_.descriptor(), address.get(), address.bytes) == 0) {
    connected_ = true;
    if (options_.kind == Kind::statsd) return;
  } else if (errno != EINPROGRESS) {
    return failed(io::errno_text(errno));
  }
  // A statsite server says nothing; what can be read is the end of the connection.
  loop_.watch(socket_.descriptor(), POLLIN | POLLOUT, [this](short events) {
    int problem = 0;
    socklen_t size = sizeof problem;
    getsockopt(socket_.descriptor(), SOL_SOCKET, SO_ERROR, &problem, &size);
    if (problem != 0) return failed(io::errno_text(problem));
    char unused = 0;
    if ((events & POLLIN) != 0 && recv(socket_.descriptor(), &unused, 1, 0) == 0) {
      return failed("closed by the server");
    }
    connected_ = true;
    loop_.change(socket_.descriptor(), POLLIN);
    if ((events & POLLOUT) != 0) send_stream();
  });
}

void StatsSink::failed(std::string_view why) {
  log_.err("agent: metrics to {}: {}", options_.address, why);
  connected_ = false;
  // Another connection begins with a whole line.
  if (std::exchange(torn_, false)) lines_.erase(0, lines_.find('\n') + 1);
  if (socket_.open()) {
    loop_.forget(socket_.descriptor());
    socket_.close();
  }
  loop_.cancel(retry_timer_);
  retry_timer_ = loop_.after(options_.retry_interval, [this] {
    retry_timer_ = 0;
    look_up();
  });
}

void StatsSink::add(std::string_view line) {
  if (lines_.size() + line.size() > lines_bytes_max) {
    ++dropped_;
    return;
  }
  lines_ += line;
  if (flush_timer_ != 0) return;
  flush_timer_ = loop_.after(options_.flush_interval, [this] {
    flush_timer_ = 0;
    flush();
  });
}

void StatsSink::flush() {
  if (!connected_) return;  // goes out when there is a connection, with what comes then
  if (options_.kind == Kind::statsd) {
    send_packets();
  } else {
    send_stream();
  }
}

void StatsSink::send_packets() {
  std::string_view rest = lines_;
  while (!rest.empty()) {
    // As many whole lines as a packet takes; a longer line goes alone.
    std::size_t bytes = rest.find('\n') + 1;
    for (std::size_t end = bytes; end != 0 && end <= packet_bytes_max;
         end = rest.find('\n', bytes) + 1) {
      bytes = end;
      if (bytes == rest.size()) break;
    }
    const std::string_view packet = rest.substr(0, bytes);
    // A server that is away is no reason to stop: it may come back, and nothing tells us. A refusal
    // is that of an earlier packet; this one has not been sent then.
    const auto send_once = [&] {
      return send(socket_.descriptor(), packet.data(), packet.size(), MSG_NOSIGNAL) >= 0;
    };
    if (!send_once() && (errno != ECONNREFUSED || !send_once())) ++dropped_;
    rest.remove_prefix(packet.size());
  }
  lines_.clear();
}

void StatsSink::send_stream() {
  while (!lines_.empty()) {
    const ssize_t count = send(socket_.descriptor(), lines_.data(), lines_.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EAGAIN) {
      return loop_.change(socket_.descriptor(), POLLIN | POLLOUT);
    }
    if (count < 0) return failed(io::errno_text(errno));
    torn_ = lines_[static_cast<std::size_t>(count) - 1] != '\n';
    lines_.erase(0, static_cast<std::size_t>(count));
  }
}

}  // namespace starling::agent
