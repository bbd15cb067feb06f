// How many pings a second one lane answers over loopback: a node on io_uring and one on ordinary
// sockets, beside a bare io_uring echo and a real memberlist node.
//
//   answer_bench [--rounds N] [--seconds S] [--peers N] [--go PROGRAM] [--only KIND]
//
// Two processes: this one asks, from core 1, with 512 pings under way; the one that answers runs on
// core 0 and is started anew for each figure. `echo` is a ring, a multishot receive into a buffer
// ring and sends of the same bytes in batches of 64: what the kernel costs with the same buffers
// and batches and no protocol at all. --peers (64) is the number of source addresses, in turns, so
// that no two answers in a row go to one peer; with 1 all go to the same, and leave together where
// the node groups its sends. --go names bench/peers/bin/node. Prints one JSON object; figures are
// medians over the rounds, in each of which all kinds run one after the other.
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "bench/bench_node.h"
#include "bench/samples.h"
#include "io/bind.h"
#include "io/open.h"
#include "io/thread/run_lane.h"
#include "io/uring/buffer_ring.h"

namespace starling::bench {

namespace {

using io::MonotonicClock;

constexpr std::size_t batch = 64;
constexpr std::size_t under_way_max = 512;
const IpAddress server_address = IpAddress::v4(127, 77, 0, 1);

struct Wanted {
  int rounds = 5;
  double seconds = 1;
  std::uint32_t peers = 64;
  std::string go;
  std::string only;
};

void pin(int core) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(core, &cores);
  ::sched_setaffinity(0, sizeof cores, &cores);
}

// Sends back whatever comes, for ever.
void run_echo(const io::BoundSockets& sockets) {
  constexpr std::size_t name_bytes = 32;
  constexpr std::size_t header_bytes = sizeof(io_uring_recvmsg_out) + name_bytes;
  auto made = io::Ring::create();
  CHECK(made.has_value());
  io::Ring& ring = **made;
  auto buffers = io::BufferRing::create(ring, {.group = 0, .buffers = 512, .buffer_bytes = 65'536});
  CHECK(buffers.has_value());
  const int descriptor = sockets.datagrams.descriptor();
  ::fcntl(descriptor, F_SETFL, ::fcntl(descriptor, F_GETFL) & ~O_NONBLOCK);
  CHECK(io_uring_register_files(ring.get(), &descriptor, 1) == 0);
  ring.start();
  msghdr header{};
  header.msg_namelen = name_bytes;
  std::vector<std::size_t> taken;
  taken.reserve(8192);
  bool armed = false;
  for (;;) {
    if (!armed) {
      io_uring_sqe* const sqe = ring.prepare({.kind = io::RingTag::Kind::receive});
      io_uring_prep_recvmsg_multishot(sqe, 0, &header, 0);
      sqe->flags |= IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
      sqe->buf_group = 0;
      armed = true;
    }
    ring.refresh();
    if (!ring.completed()) ring.wait(std::chrono::seconds(1));
    ring.take([&](io::RingTag tag, int result, unsigned flags) {
      if (tag.kind != io::RingTag::Kind::receive) return;
      if ((flags & IORING_CQE_F_MORE) == 0) armed = false;
      if ((flags & IORING_CQE_F_BUFFER) == 0 || result < 0) return;
      const std::size_t buffer = io::BufferRing::of(flags);
      const MutableBytes record = buffers->at(buffer);
      io_uring_recvmsg_out out;
      std::memcpy(&out, record.data(), sizeof out);
      io_uring_sqe* const sqe = ring.prepare({.kind = io::RingTag::Kind::send});
      io_uring_prep_send(sqe, 0, record.data() + header_bytes, out.payloadlen, MSG_DONTWAIT);
      io_uring_prep_send_set_addr(sqe,
                                  reinterpret_cast<const sockaddr*>(record.data() + sizeof out),
                                  static_cast<std::uint16_t>(out.namelen));
      sqe->flags |= IOSQE_FIXED_FILE | IOSQE_CQE_SKIP_SUCCESS;
      taken.push_back(buffer);
      if (taken.size() % batch == 0) ring.submit();
    });
    if (taken.empty()) continue;
    ring.submit();
    for (const std::size_t buffer : taken) buffers->give(buffer);
    taken.clear();
  }
}

void run_node(io::PortChoice choice) {
  BenchNode node({});
  auto opened = io::open_ports({.bind = {server_address, 7946}, .choice = choice});
  if (!opened) {
    std::fprintf(stderr, "answer_bench: %s\n", opened.error().c_str());
    ::_exit(1);
  }
  const std::atomic<bool> stop = false;
  io::run_lane(node.lane(), *opened->ports, stop, [] {});
}

pid_t start_server(const std::string& kind, const Wanted& wanted) {
  const pid_t child = ::fork();
  CHECK(child >= 0);
  if (child > 0) return child;
  pin(0);
  ::alarm(120);  // whatever happens to the parent
  if (kind == "go") {
    // Its standard input never ends: it is killed.
    std::array<int, 2> pipe{};
    CHECK(::pipe(pipe.data()) == 0);
    ::dup2(pipe[0], 0);
    ::close(1);
    ::open("/dev/null", O_WRONLY);
    ::execl(wanted.go.c_str(), "node", "127.77.0.1", "7946", "bench", nullptr);
    ::_exit(1);
  }
  if (kind == "echo") {
    const auto sockets = io::bind_sockets({.bind = {server_address, 7946}});
    CHECK(sockets.has_value());
    run_echo(*sockets);
  }
  run_node(kind == "sockets" ? io::PortChoice::sockets : io::PortChoice::uring);
  ::_exit(1);
}

double processor_seconds(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string line;
  std::getline(file, line);
  line.erase(0, line.rfind(')') + 2);
  std::istringstream fields(line);
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0, system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

// Asks from many addresses through one socket.
class Asker {
 public:
  explicit Asker(std::uint32_t peers) {
    socket_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const int room = 8 << 20;
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    sockaddr_in any{};
    any.sin_family = AF_INET;
    CHECK(::bind(socket_, reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0);
    to_.sin_family = AF_INET;
    to_.sin_port = htons(7946);
    std::memcpy(&to_.sin_addr, server_address.bytes().data(), 4);
    for (std::size_t i = 0; i < batch; ++i) {
      pings_[i] = encoded(Ping{.sequence = SequenceNumber{static_cast<std::uint32_t>(100'000 + i)},
                               .node = "bench",
                               .source = {}});
      out_vectors_[i] = {pings_[i].data(), pings_[i].size()};
      in_vectors_[i] = {rooms_[i].data(), rooms_[i].size()};
      msghdr& message = out_[i].msg_hdr;
      message.msg_name = &to_;
      message.msg_namelen = sizeof to_;
      message.msg_iov = &out_vectors_[i];
      message.msg_iovlen = 1;
      message.msg_control = controls_[i].data();
      message.msg_controllen = controls_[i].size();
      cmsghdr* const control = CMSG_FIRSTHDR(&message);
      control->cmsg_level = IPPROTO_IP;
      control->cmsg_type = IP_PKTINFO;
      control->cmsg_len = CMSG_LEN(sizeof(in_pktinfo));
      in_pktinfo from{};
      from.ipi_spec_dst.s_addr =
          htonl(0x7f4d0100U + static_cast<std::uint32_t>(i) % std::min(peers, 64U));
      std::memcpy(CMSG_DATA(control), &from, sizeof from);
      in_[i].msg_hdr.msg_iov = &in_vectors_[i];
      in_[i].msg_hdr.msg_iovlen = 1;
    }
  }
  ~Asker() { ::close(socket_); }

  void send(std::size_t count) {
    ::sendmmsg(socket_, out_.data(), static_cast<unsigned>(count), 0);
  }
  std::size_t receive() {
    const int got = ::recvmmsg(socket_, in_.data(), batch, MSG_DONTWAIT, nullptr);
    return got > 0 ? static_cast<std::size_t>(got) : 0;
  }

 private:
  int socket_ = -1;
  sockaddr_in to_{};
  std::array<ByteVector, batch> pings_;
  std::array<std::array<std::byte, 2048>, batch> rooms_;
  std::array<iovec, batch> out_vectors_{}, in_vectors_{};
  std::array<mmsghdr, batch> out_{}, in_{};
  alignas(
      cmsghdr) std::array<std::array<std::byte, CMSG_SPACE(sizeof(in_pktinfo))>, batch> controls_{};
};

struct Rate {
  double answers_per_second = 0;
  double microseconds_an_answer = 0;  // processor time of the one that answers
  double lost = 0;                    // of a thousand
};

Rate ask(Asker& asker, pid_t server, double seconds) {
  const Instant patience = MonotonicClock::now() + std::chrono::seconds(5);
  for (;;) {
    asker.send(1);
    ::usleep(20'000);
    if (asker.receive() > 0) break;
    CHECK(MonotonicClock::now() < patience);
  }
  while (asker.receive() > 0) {
  }
  std::uint64_t sent = 0, answered = 0, lost = 0;
  const auto turn = [&](Instant now, Instant& heard_at) {
    const std::size_t got = asker.receive();
    if (got > 0) heard_at = now;
    answered += got;
    if (sent - answered - lost + batch <= under_way_max) {
      asker.send(batch);
      sent += batch;
    } else if (now - heard_at > std::chrono::milliseconds(20)) {
      lost = sent - answered;  // dropped by a full socket: go on without
      heard_at = now;
    }
  };
  const auto length = std::chrono::nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
  Instant heard_at = MonotonicClock::now();
  // A quarter to get warm.
  for (Instant until = heard_at + length / 4; heard_at < until;)
    turn(MonotonicClock::now(), heard_at);
  const double processor_before = processor_seconds(server);
  const std::uint64_t answered_before = answered, lost_before = lost;
  const Instant began = MonotonicClock::now();
  Instant now = began;
  for (; now - began < length; now = MonotonicClock::now()) turn(now, heard_at);
  const double passed = std::chrono::duration<double>(now - began).count();
  const auto answers = static_cast<double>(answered - answered_before);
  return {answers / passed, (processor_seconds(server) - processor_before) * 1e6 / answers,
          1000 * static_cast<double>(lost - lost_before) / answers};
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values.empty() ? 0 : values[values.size() / 2];
}

int run(const Wanted& wanted) {
  std::vector<std::string> kinds{"echo", "uring", "sockets"};
  if (!wanted.go.empty()) kinds.push_back("go");
  if (!wanted.only.empty()) kinds = {wanted.only};
  std::vector<std::vector<Rate>> rates(kinds.size());
  pin(1);
  for (int round = 0; round < wanted.rounds; ++round) {
    for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
      const pid_t server = start_server(kinds[kind], wanted);
      {
        Asker asker(wanted.peers);
        rates[kind].push_back(ask(asker, server, wanted.seconds));
      }
      ::kill(server, SIGKILL);
      ::waitpid(server, nullptr, 0);
    }
  }
  std::printf("{\"peers\": %u, \"rounds\": %d", wanted.peers, wanted.rounds);
  for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
    const auto of = [&](double Rate::*field) {
      std::vector<double> values;
      for (const Rate& rate : rates[kind]) values.push_back(rate.*field);
      return median(std::move(values));
    };
    std::printf(
        ",\n \"%s\": {\"answers_per_second\": %.0f, \"cpu_us_an_answer\": %.3f, "
        "\"lost_per_mille\": %.2f}",
        kinds[kind].c_str(), of(&Rate::answers_per_second), of(&Rate::microseconds_an_answer),
        of(&Rate::lost));
  }
  // Of one round each, so that a slow moment of the machine touches both.
  const auto ratio = [&](std::size_t a, std::size_t b, double Rate::*field) {
    std::vector<double> values;
    for (std::size_t i = 0; i < rates[a].size(); ++i) {
      values.push_back((rates[a][i].*field) / (rates[b][i].*field));
    }
    return median(std::move(values));
  };
  if (kinds.size() > 1) {
    std::printf(",\n \"uring_to_echo\": {\"rate\": %.3f, \"cpu\": %.3f}",
                ratio(1, 0, &Rate::answers_per_second), ratio(1, 0, &Rate::microseconds_an_answer));
  }
  if (kinds.size() > 3) {
    std::printf(",\n \"uring_to_go\": {\"rate\": %.3f, \"cpu\": %.3f}",
                ratio(1, 3, &Rate::answers_per_second), ratio(1, 3, &Rate::microseconds_an_answer));
  }
  std::printf("}\n");
  return 0;
}

}  // namespace

}  // namespace starling::bench

int main(int argc, char** argv) {
  starling::bench::Wanted wanted;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view flag = argv[i];
    if (flag == "--rounds") wanted.rounds = std::max(1, std::atoi(argv[i + 1]));
    if (flag == "--seconds") wanted.seconds = std::max(0.1, std::atof(argv[i + 1]));
    if (flag == "--peers")
      wanted.peers = static_cast<std::uint32_t>(std::max(1, std::atoi(argv[i + 1])));
    if (flag == "--go") wanted.go = argv[i + 1];
    if (flag == "--only") wanted.only = argv[i + 1];
  }
  return starling::bench::run(wanted);
}
