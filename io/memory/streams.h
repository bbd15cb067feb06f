// MemoryStreams: streams as pairs of bounded pipes in memory.
//
// A dial puts a connection into the backlog of the port it names; that port's next deliver() takes
// it from there while it has a row free. Bytes are copied into the peer's pipe by the writer's own
// thread only, because they belong to its lane; a reader that has made room just tells the writer.
// Owned by MemoryPorts; everything shared is touched under the switchboard's lock.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <vector>

#include "io/memory/switchboard.h"
#include "io/port_options.h"
#include "io/ports.h"
#include "io/stream_ids.h"

namespace starling::io {

class MemoryStreams final : public StreamPort {
 public:
  static constexpr std::size_t chunk_bytes = 65'536;
  static constexpr std::size_t pipe_bytes = 4 * chunk_bytes;
  static constexpr std::size_t backlog_max = 1'024;

  MemoryStreams(const PortOptions& options, Switchboard& switchboard, MemoryPorts& owner,
                PortCounters& counters);

  void submit(std::span<const StreamOp> ops) override;
  std::size_t deliver(Sink& sink) override;

  // The rest only while holding the lock.
  // True when deliver() may have something to say.
  bool due() const { return attention_; }
  Instant next_due() const;
  // Everything ends, as when a process dies: peers see a reset where bytes were still under way.
  void abandon_all();

 private:
  // One direction.
  struct Pipe {
    // A ring of pipe_bytes, made at the first write and never filled with zeros: most connections
    // carry a hundred bytes one way.
    std::unique_ptr<std::byte[]> bytes;
    std::size_t put = 0, taken = 0;
    bool ended = false;
    bool reset = false;
    std::size_t size() const { return put - taken; }
    std::size_t room() const { return pipe_bytes - size(); }
  };
  // Both directions and who holds the ends: `to[i]` flows to side i.
  struct Connection {
    std::array<Pipe, 2> to;
    std::array<MemoryStreams*, 2> side{};  // nullptr: that side has gone, or has not accepted yet
    Endpoint from;
  };
  enum class Phase : std::uint8_t { free, open, half_closed };
  struct Stream {
    Phase phase = Phase::free;
    bool dialled = false;
    bool announced = false;
    bool writing = false;
    bool finishing = false;
    int error_number = 0;
    StreamId id{};
    Endpoint peer;
    std::shared_ptr<Connection> connection;
    std::size_t side = 0;
    Bytes unwritten;
    Instant linger_until{};

    Pipe& incoming() { return connection->to[side]; }
    Pipe& outgoing() { return connection->to[1 - side]; }
  };
  // What one row has to say, taken under the lock and said without it.
  struct Saying {
    std::array<StreamEvent, 4> events{};
    std::size_t count = 0;
  };

  void connect(const StreamOp& op);
  void close(std::size_t row);
  void half_close(std::size_t row);
  void continue_write(Stream& stream);
  void accept_waiting();
  Saying look_at(std::size_t row, Instant now);
  std::size_t take_chunk(Pipe& pipe);
  void free(std::size_t row);
  std::size_t take_row();
  // Tells the port at the other end to look.
  void nudge_peer(const Stream& stream);

  Switchboard* switchboard_;
  MemoryPorts* owner_;
  PortCounters* counters_;
  std::size_t streams_max_;
  Duration linger_max_;
  std::vector<Stream> streams_;
  StreamIds ids_;
  std::deque<std::shared_ptr<Connection>> backlog_;
  std::vector<std::byte> chunk_;
  std::vector<StreamEvent> refused_;
  std::size_t dialled_ = 0;
  std::size_t accepted_ = 0;
  bool attention_ = false;
};

}  // namespace starling::io
