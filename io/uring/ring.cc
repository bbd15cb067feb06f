#include "io/uring/ring.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <optional>

#include "io/errno_text.h"

namespace starling::io {

namespace {

constexpr unsigned flags_common =
    IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL;

struct Size {
  unsigned submissions;
  unsigned completions;
};
// The first that the limit on locked memory allows.
constexpr std::array<Size, 4> sizes{{{256, 8192}, {256, 2048}, {128, 512}, {32, 128}}};

std::string setup_failed(int error_number) {
  std::string text = "io_uring_setup: " + errno_text(error_number);
  if (error_number == EPERM) text += " (switched off by the system or the container)";
  if (error_number == EINVAL) text += " (needs Linux 6.1)";
  if (error_number == ENOMEM) text += " (limit on locked memory)";
  return text;
}

}  // namespace

std::optional<std::string> Ring::problem() {
  io_uring ring{};
  io_uring_params params{};
  params.flags = flags_common;
  if (const int result = io_uring_queue_init_params(4, &ring, &params); result < 0) {
    return setup_failed(-result);
  }
  io_uring_prep_nop(io_uring_get_sqe(&ring));
  const int result = io_uring_submit_and_wait(&ring, 1);
  io_uring_queue_exit(&ring);
  if (result < 0) return "io_uring_enter: " + errno_text(-result);
  return std::nullopt;
}

std::expected<std::unique_ptr<Ring>, std::string> Ring::create() {
  std::unique_ptr<Ring> ring(new Ring);
  int result = 0;
  for (const Size& size : sizes) {
    io_uring_params params{};
    // Disabled until start(), because the thread that enables it becomes the owner.
    params.flags =
        flags_common | IORING_SETUP_CQSIZE | IORING_SETUP_R_DISABLED | IORING_SETUP_TASKRUN_FLAG;
    params.cq_entries = size.completions;
    result = io_uring_queue_init_params(size.submissions, &ring->ring_, &params);
    ring->open_ = result == 0;
    if (result != -ENOMEM) break;
  }
  if (result < 0) return std::unexpected(setup_failed(-result));
  return ring;
}

Ring::~Ring() {
  if (open_) io_uring_queue_exit(&ring_);
}

void Ring::start() {
  // By hand: liburing 2.3 declares io_uring_enable_rings() but its library does not have it.
  CHECK(::syscall(__NR_io_uring_register, ring_.ring_fd, IORING_REGISTER_ENABLE_RINGS, nullptr,
                  0) == 0);
  // Saves a look-up in each system call; a kernel that refuses works as well without.
  io_uring_register_ring_fd(&ring_);
  owner_ = ::gettid();
  started_ = true;
}

bool Ring::owned_by_this_thread() const {
  return started_ && owner_ == ::gettid();
}

io_uring_sqe* Ring::prepare(RingTag tag) {
  io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
  if (sqe == nullptr) {
    submit();
    sqe = io_uring_get_sqe(&ring_);
    CHECK(sqe != nullptr);
  }
  // The preparing calls of liburing leave user_data alone.
  io_uring_sqe_set_data64(sqe, tag.packed());
  return sqe;
}

void Ring::refresh() {
  // The kernel writes the flags; a stale value is seen right in the next turn.
  const unsigned flags = IO_URING_READ_ONCE(*ring_.sq.kflags);
  if (unsubmitted() || (flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0) submit();
}

void Ring::wait(Duration at_most) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(at_most);
  __kernel_timespec timeout{};
  timeout.tv_sec = seconds.count();
  timeout.tv_nsec = (at_most - seconds).count();
  io_uring_cqe* cqe = nullptr;
  io_uring_submit_and_wait_timeout(&ring_, &cqe, 1, &timeout, nullptr);
}

bool Ring::next(io_uring_cqe*& cqe) {
  unsigned head = 0;
  io_uring_for_each_cqe(&ring_, head, cqe) {
    return true;
  }
  return false;
}

void Ring::cancel_all() {
  io_uring_sync_cancel_reg cancel{};
  cancel.fd = -1;
  cancel.flags = IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL;
  cancel.timeout.tv_sec = -1;
  cancel.timeout.tv_nsec = -1;
  io_uring_register_sync_cancel(&ring_, &cancel);
  submit();
}

}  // namespace starling::io
