#include "core/shard/sessions.h"

#include <algorithm>

namespace starling {

namespace {

constexpr std::size_t carry_bytes = 64 << 10;
constexpr std::size_t window_bytes = 64 << 10;
constexpr std::size_t small_bytes = 8 << 10;

InboundLimits limits_of(const EngineOptions& options) {
  InboundLimits limits;
  limits.frame_bytes_max = options.capacity.stream_frame_bytes_max;
  limits.push_pull = options.push_pull_limits;
  return limits;
}

// The buffers of one session, a multiple of cache lines.
std::size_t buffer_bytes(const InboundLimits& limits) {
  Footprint need;
  need.bytes(InboundStream::frame_room_bytes(limits));
  need.bytes(carry_bytes);
  need.bytes(window_bytes);
  need.bytes(carry_bytes);
  need.bytes(small_bytes);
  return need.total();
}

}  // namespace

std::size_t Sessions::image_bytes_max(const EngineOptions& options) {
  // A node state: keys and numbers below 100 bytes, address, versions, name and metadata; and the
  // name once more with its status time, perhaps in the list of the left.
  const std::size_t member = 160 + meta_bytes_limit + 3 * (options.capacity.name_bytes_max + 16);
  const std::size_t all = options.capacity.members_max * member;
  // Larger states are cut, see push_pull_image.h.
  return 4096 + std::min(all, state_bytes_max) + 2 * options.capacity.event_slab_bytes +
         options.serf.event_slots * 64;
}

std::size_t Sessions::footprint(const EngineOptions& options) {
  Footprint need;
  need.bytes(options.capacity.streams_max * buffer_bytes(limits_of(options)));
  const std::size_t image = image_bytes_max(options);
  for (std::uint32_t i = 0; i < images_max; ++i) need.bytes(Wrapper::stream_bound(image));
  need.bytes(image);
  need.bytes(Wrapper::stream_bound(options.capacity.stream_compress_bytes_max));
  return need.total();
}

Sessions::Sessions(Arena& arena, const EngineOptions& options, const EnvelopePolicy& policy,
                   Cipher& cipher)
    : limits_(limits_of(options)),
      policy_(&policy),
      cipher_(&cipher),
      buffers_(arena.bytes(options.capacity.streams_max * buffer_bytes(limits_))) {
  sessions_.reserve(options.capacity.streams_max);
  sources_.resize(options.capacity.streams_max);
  const std::size_t image = image_bytes_max(options);
  for (MutableBytes& room : images_) room = arena.bytes(Wrapper::stream_bound(image));
  message_ = arena.bytes(image);
  compressed_ = arena.bytes(Wrapper::stream_bound(options.capacity.stream_compress_bytes_max));
}

Session* Sessions::make() {
  const std::size_t bytes = buffer_bytes(limits_);
  const std::size_t number = sessions_.size();
  if (number == sessions_.capacity() || (number + 1) * bytes > buffers_.size()) return nullptr;
  Arena rooms(buffers_.subspan(number * bytes, bytes));
  const InboundMemory memory{.frame = rooms.bytes(InboundStream::frame_room_bytes(limits_)),
                             .carry = rooms.bytes(carry_bytes),
                             .window = rooms.bytes(window_bytes)};
  const MutableBytes state_carry = rooms.bytes(carry_bytes);
  return &sessions_.emplace_back(limits_, *policy_, *cipher_, memory, state_carry,
                                 rooms.bytes(small_bytes));
}

Session* Sessions::acquire(Session::Kind kind) {
  const auto unused = std::ranges::find(sessions_, Session::Kind::unused, &Session::kind);
  Session* const session = unused != sessions_.end() ? &*unused : make();
  if (session == nullptr) return nullptr;
  session->kind = kind;
  session->dial = {};
  session->message = Session::Message::none;
  session->writing = session->answered = session->state_wanted = false;
  session->image = 0;
  session->source = 0;
  session->inbound.reset(kind == Session::Kind::inbound);
  session->versions = {};
  session->merge_refused = false;
  session->epoch = 0;
  session->nodes_merged = 0;
  session->state = SerfStateReader(session->state_carry_room);
  session->state_started = session->state_broken = false;
  session->error_bytes = 0;
  ++used_;
  return session;
}

void Sessions::release(Session& session) {
  if (session.image != 0) image_lent_[session.image - 1] = false;
  session.image = 0;
  end_waiting(session);
  session.kind = Session::Kind::unused;
  --used_;
}

void Sessions::begin_waiting(Session& session, const IpAddress& source) {
  auto row = std::ranges::find_if(
      sources_, [&](const Source& known) { return known.waiting > 0 && known.address == source; });
  if (row == sources_.end()) row = std::ranges::find(sources_, 0u, &Source::waiting);
  CHECK(session.source == 0 && row != sources_.end());
  row->address = source;
  ++row->waiting;
  session.source = 1 + static_cast<std::uint32_t>(row - sources_.begin());
}

void Sessions::end_waiting(Session& session) {
  if (session.source == 0) return;
  --sources_[session.source - 1].waiting;
  session.source = 0;
}

std::uint32_t Sessions::waiting(const IpAddress& source) const {
  for (const Source& known : sources_) {
    if (known.waiting > 0 && known.address == source) return known.waiting;
  }
  return 0;
}

std::uint32_t Sessions::sources() const {
  return static_cast<std::uint32_t>(
      std::ranges::count_if(sources_, [](const Source& known) { return known.waiting > 0; }));
}

const Sessions::Source* Sessions::largest_source() const {
  const auto largest = std::ranges::max_element(sources_, {}, &Source::waiting);
  return largest->waiting > 0 ? &*largest : nullptr;
}

Session* Sessions::find(StreamId id) {
  for (Session& session : sessions_) {
    if (session.kind != Session::Kind::unused && session.id == id) return &session;
  }
  return nullptr;
}

StreamId Sessions::next_dial_id() {
  dials_ = (dials_ + 1) & ~stream_accepted_bit;
  return StreamId{dials_};
}

MutableBytes Sessions::lend_image(Session& session) {
  for (std::uint32_t i = 0; i < images_max; ++i) {
    if (image_lent_[i]) continue;
    image_lent_[i] = true;
    session.image = i + 1;
    return images_[i];
  }
  return {};
}

}  // namespace starling
