#include "agent/swarm/timing.h"

#include <algorithm>
#include <cmath>

#include "agent/durations.h"
#include "core/swim/scaling.h"
#include "sim/bounds.h"

namespace starling::agent::swarm {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr double busy_share = 0.6;
// memberlist statements about members with short names, as a packet of 1400 bytes takes them.
constexpr std::int64_t statements_a_packet = 16;

Duration scaled(Duration time, double by) {
  return Duration(static_cast<Duration::rep>(static_cast<double>(time.count()) * by));
}

// Each of E engines repeats a statement to a random other one so often; e^-14 of them are missed,
// one in a million. memberlist's own number is for as many machines as there are members.
constexpr std::uint32_t repetitions_enough = 14;

unsigned retransmit_mult(unsigned own, std::uint32_t members) {
  unsigned mult = 1;
  while (mult < own && retransmit_limit(mult, members) < repetitions_enough) ++mult;
  return mult;
}

double stretch(Profile profile, Duration period) {
  const Duration own = SwimOptions::of(profile).probe_interval;
  return static_cast<double>(period.count()) / static_cast<double>(own.count());
}

}  // namespace

Duration probe_cost(std::uint32_t members, bool encrypted) {
  // Above some ten thousand members the rows no longer fit into the caches.
  const Duration plain = std::chrono::microseconds(members > 50'000 ? 12 : 10);
  return encrypted ? plain + std::chrono::microseconds(4) : plain;
}

PeriodChoice choose_period(Profile profile, std::uint32_t members, unsigned threads,
                           Duration cost) {
  const Duration least = SwimOptions::of(profile).probe_interval;
  const double needed = static_cast<double>(cost.count()) * members / (busy_share * threads);
  // Whole tenths of a second: the number is read by people.
  const Duration rounded = milliseconds(100) * static_cast<std::int64_t>(std::ceil(needed / 1e8));
  const std::string work = std::to_string(members) + " probes of " + format_duration(cost) +
                           " on " + std::to_string(threads) + (threads == 1 ? " core" : " cores");
  if (rounded <= least) return {least, "the profile's own; " + work + " fit into it"};
  return {rounded, work + " at 60 % busy"};
}

SwimOptions swim_options(Profile profile, Duration period, const Size& size) {
  SwimOptions swim = SwimOptions::of(profile);
  const double by = stretch(profile, period);
  swim.probe_interval = period;
  swim.probe_timeout = scaled(swim.probe_timeout, by);
  swim.gossip_to_the_dead_time = scaled(swim.gossip_to_the_dead_time, by);
  // Gossip is per engine and costs little: it slows down for nobody, but keeps up with short ones.
  swim.gossip_interval = scaled(swim.gossip_interval, std::min(by, 1.0));
  swim.retransmit_mult = retransmit_mult(swim.retransmit_mult, size.members);
  // Tables are compared by digests, which costs a ping while they are equal.
  swim.push_pull_interval = scaled(swim.push_pull_interval, std::min(by, 1.0));
  // A whole table goes through one stream: 20 us a member is ten times what it takes.
  swim.stream_timeout = std::max<Duration>(scaled(swim.stream_timeout, std::max(by, 1.0)),
                                           std::chrono::microseconds(20) * size.members);
  return swim;
}

SerfOptions serf_options(Profile profile, Duration period) {
  SerfOptions serf;
  serf.coordinates = false;  // all stand in one place
  const double by = stretch(profile, period);
  serf.reconnect_interval = scaled(serf.reconnect_interval, by);
  serf.flap_timeout = scaled(serf.flap_timeout, by);
  serf.broadcast_timeout = scaled(serf.broadcast_timeout, std::max(by, 1.0));
  // How far a leave intent or two may lag behind in a swarm that is busy with other news.
  serf.reap_interval = scaled(serf.reap_interval, by);
  return serf;
}

Bounds::Bounds(const SwimOptions& swim, const SerfOptions& serf, const Size& size)
    : swim_(swim), serf_(serf), size_(size) {
  const auto rounds = static_cast<std::int64_t>(2 * size.engines);
  const auto health = static_cast<std::int64_t>(swim.awareness_max_multiplier);
  sweep = swim.probe_interval * (rounds + health);
  suspicion = sim::suspicion_max(swim, size.members);
  gossip = sim::dissemination(swim, size.members);
  exchange = swim.stream_timeout + gossip;
}

Duration Bounds::drain(std::uint32_t statements) const {
  const std::int64_t transmits = retransmit_limit(swim_.retransmit_mult, size_.members);
  const std::int64_t a_tick = statements_a_packet * std::max(1u, swim_.gossip_nodes);
  return swim_.gossip_interval * (std::int64_t{statements} * transmits / a_tick + 1);
}

Duration Bounds::detection(std::uint32_t victims) const {
  return sweep + suspicion + gossip + drain(victims);
}

Duration Bounds::spread(std::uint32_t changes) const {
  return gossip + drain(changes);
}

Duration Bounds::repair(std::uint32_t members) const {
  // Fourteen reconnects fail together with less than 1e-6, see sim/bounds.h.
  return 14 * serf_.reconnect_interval + 2 * exchange + sweep + suspicion + drain(members);
}

}  // namespace starling::agent::swarm
