// UringStreams: TCP by operations of a ring.
//
// A stream lives in a row. It has at most one read, one write and one connect under way. A read
// takes a buffer of the ring's group only when bytes arrive, and the next read is prepared only
// after the lane has taken them: that is the back-pressure. A write carries MSG_DONTWAIT, so the
// kernel touches the lane's bytes only inside a submission; when the peer is slow, the row waits
// for the socket to be writable and submits the rest. A row whose stream has gone is kept until its
// last operation has completed, so that a late completion cannot reach the row's next stream.
//
// `close` after the last byte lingers, for the reason given in io/sockets/streams.h.
// Owned by UringPorts; the lane's thread calls it; submit() is not called during deliver().
#pragma once

#include <array>
#include <expected>
#include <string>
#include <vector>

#include "io/bind.h"
#include "io/ports.h"
#include "io/stream_ids.h"
#include "io/uring/buffer_ring.h"

namespace starling::io {

class UringStreams {
 public:
  static constexpr std::uint16_t buffer_group = 1;
  static constexpr std::size_t chunk_bytes = 65'536;
  static constexpr std::size_t chunks = 16;

  static std::expected<std::unique_ptr<UringStreams>, std::string> create(
      const PortOptions& options, Ring& ring, int listener, PortCounters& counters);

  // As StreamPort says. The caller submits the ring afterwards, and takes its completions before
  // deliver().
  void submit(std::span<const StreamOp> ops);
  std::size_t deliver(StreamPort::Sink& sink);

  // Prepares accepts for the rows that are free.
  void arm_accepts();
  void on_completion(RingTag tag, int result, unsigned flags);
  // True once after a completion prepared a write: its bytes belong to the lane and may not wait.
  bool take_urgent() { return std::exchange(urgent_, false); }

  bool due() const { return !due_.empty() || !refused_.empty(); }
  Instant next_due() const;

 private:
  // `gone`: without an id, waiting for its operations to complete.
  enum class Phase : std::uint8_t { free, connecting, open, half_closed, detached, gone };
  struct Stream {
    File socket;
    Phase phase = Phase::free;
    bool dialled = false;
    bool announced = false;   // connected or accepted was reported
    bool writing = false;     // a write operation is not yet reported as written
    bool finishing = false;   // half-close when the write is through
    bool peer_ended = false;  // no bytes will come any more
    bool has_chunk = false;   // `chunk` holds bytes for the lane
    bool in_due = false;
    bool connect_under_way = false;
    bool read_under_way = false;
    bool write_under_way = false;   // a write or the wait for room
    bool waiting_for_room = false;  // which of the two
    int error_number = 0;           // to be reported as failed
    std::uint32_t serial = 0;
    std::uint32_t chunk = 0, chunk_size = 0;
    StreamId id{};
    Endpoint peer;
    SocketAddress address;
    Bytes unwritten;
    Instant linger_until{};

    bool idle() const { return !connect_under_way && !read_under_way && !write_under_way; }
  };
  struct Accept {
    bool under_way = false;
    SocketAddress address;
  };
  struct Refused {
    StreamId id;
    int error_number;
  };
  static constexpr std::size_t accepts = 4;

  UringStreams(const PortOptions& options, Ring& ring, int listener, BufferRing buffers,
               PortCounters& counters);

  void connect(const StreamOp& op);
  void write(std::size_t row, Bytes bytes);
  void close(std::size_t row);
  void half_close(std::size_t row);
  void detach(std::size_t row);
  void drop(std::size_t row);
  void drop_oldest_detached();
  void free_if_idle(std::size_t row);

  std::optional<std::size_t> free_row() const;
  void make_due(std::size_t row);
  RingTag tag(RingTag::Kind kind, std::size_t row) const;
  void prepare_read(std::size_t row);
  void prepare_write(std::size_t row);
  void cancel(RingTag target);

  void on_accept(std::size_t which, int result);
  void on_connect(std::size_t row, int result);
  void on_read(std::size_t row, int result, unsigned flags);
  void on_write(std::size_t row, int result);

  std::size_t deliver_due(std::size_t row, StreamPort::Sink& sink);
  std::size_t expire(StreamPort::Sink& sink);
  void report(StreamPort::Sink& sink, std::size_t row, StreamEvent::Kind kind, Bytes bytes = {});
  void report_end(StreamPort::Sink& sink, std::size_t row, StreamEvent::Kind kind,
                  int error_number);

  Ring* ring_;
  int listener_;
  Zone zone_;
  std::size_t streams_max_;
  Duration linger_max_;
  BufferRing buffers_;
  PortCounters* counters_;

  std::vector<Stream> streams_;
  StreamIds ids_;
  std::vector<std::size_t> due_, delivering_;
  std::vector<std::size_t> starved_;  // rows whose read found no buffer
  std::vector<Refused> refused_;
  std::array<Accept, accepts> accepts_;
  std::size_t accepts_under_way_ = 0;
  std::size_t dialled_ = 0;
  std::size_t accepted_ = 0;
  std::size_t detached_ = 0;
  std::size_t lingering_ = 0;  // detached and half-closed: those with a deadline
  Instant accept_again_ = Instant::max();
  Duration accept_delay_{};
  bool urgent_ = false;
};

}  // namespace starling::io
