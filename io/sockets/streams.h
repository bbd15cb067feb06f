// SocketStreams: TCP by non-blocking sockets whose readiness comes from a Poller.
//
// A stream lives in a slot. `close` after the last byte was written does not close the socket at
// once: unread input would make the kernel answer with a reset, which may destroy bytes that the
// peer has not read yet. The stream loses its id, sends its end, and reads and drops what comes
// until the peer ends too or linger_max has passed ("detached").
//
// Owned by SocketPorts; the lane's thread calls it; submit() is not called during deliver().
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "io/bind.h"
#include "io/mapped_memory.h"
#include "io/ports.h"
#include "io/sockets/poller.h"
#include "io/stream_ids.h"

namespace starling::io {

class SocketStreams final : public StreamPort {
 public:
  static constexpr std::size_t chunk_bytes = 65'536;

  static std::expected<std::unique_ptr<SocketStreams>, std::string> create(
      const PortOptions& options, File listener, Poller& poller, PortCounters& counters);

  void submit(std::span<const StreamOp> ops) override;
  // Delivers what is due without the poller's help; see on_ready() for the rest.
  std::size_t deliver(Sink& sink) override;

  // One event of the poller for the listener or a stream; how many events were delivered.
  std::size_t on_ready(PollTag tag, std::uint32_t events, Sink& sink);

  // True when deliver() has something to say at once.
  bool due() const { return !due_.empty() || !refused_.empty(); }
  // When deliver() must be called even if nothing is ready.
  Instant next_due() const;
  // For tests: sockets held, lingering ones included.
  std::size_t sockets_open() const;

 private:
  enum class Phase : std::uint8_t { free, connecting, open, half_closed, detached };
  struct Stream {
    File socket;
    Phase phase = Phase::free;
    bool dialled = false;
    bool writing = false;     // a write operation is not yet reported as written
    bool finishing = false;   // half-close when the write is through
    bool peer_ended = false;  // `closed` waits for the write
    bool in_due = false;
    int error_number = 0;  // to be reported as failed
    std::uint32_t serial = 0;
    StreamId id{};
    Endpoint peer;
    Bytes unwritten;
    Instant linger_until{};
  };
  struct Refused {
    StreamId id;
    int error_number;
  };

  SocketStreams(const PortOptions& options, File listener, Poller& poller, PortCounters& counters,
                MappedMemory chunk);

  void connect(const StreamOp& op);
  void write(std::size_t slot, Bytes bytes);
  void close(std::size_t slot);
  void continue_write(std::size_t slot);
  void half_close(std::size_t slot);
  void detach(std::size_t slot);
  void drop(std::size_t slot);
  void drop_oldest_detached();

  std::size_t take_slot(Phase phase, File socket, bool dialled, const Endpoint& peer);
  void make_due(std::size_t slot);
  void watch(std::size_t slot);

  std::size_t deliver_due(std::size_t slot, Sink& sink);
  std::size_t accept_peers(Sink& sink);
  void pause_accepting(Instant until);
  std::size_t finish_connect(std::size_t slot, Sink& sink);
  std::size_t read_chunk(std::size_t slot, Sink& sink);
  void discard(std::size_t slot);
  std::size_t expire(Sink& sink);
  std::size_t report(Sink& sink, std::size_t slot, StreamEvent::Kind kind, Bytes bytes = {});
  std::size_t report_end(Sink& sink, std::size_t slot, StreamEvent::Kind kind, int error_number);

  File listener_;
  Zone zone_;
  std::size_t streams_max_;
  Duration linger_max_;
  Poller* poller_;
  PortCounters* counters_;
  MappedMemory chunk_;

  std::vector<Stream> streams_;
  StreamIds ids_;
  std::vector<std::size_t> due_;
  std::vector<Refused> refused_;
  std::size_t dialled_ = 0;
  std::size_t accepted_ = 0;
  std::size_t detached_ = 0;
  std::size_t lingering_ = 0;  // detached and half-closed: those with a deadline
  bool accepting_ = true;
  Instant accept_again_ = Instant::max();
  Duration accept_delay_{};
};

}  // namespace starling::io
