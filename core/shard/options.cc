#include "core/shard/options.h"

#include "core/base/token_bucket.h"
#include "core/shard/node_view.h"
#include "core/swim/admission.h"

namespace starling {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::optional<Profile> profile_from(std::string_view text) {
  if (text == "lan") return Profile::lan;
  if (text == "wan") return Profile::wan;
  if (text == "local") return Profile::local;
  return std::nullopt;
}

SwimOptions SwimOptions::of(Profile profile) {
  SwimOptions options;  // lan
  if (profile == Profile::wan) {
    options.probe_interval = seconds(5);
    options.probe_timeout = seconds(3);
    options.suspicion_mult = 6;
    options.gossip_interval = milliseconds(500);
    options.gossip_nodes = 4;
    options.gossip_to_the_dead_time = seconds(60);
    options.push_pull_interval = seconds(60);
    options.stream_timeout = seconds(30);
  }
  if (profile == Profile::local) {
    options.probe_timeout = milliseconds(200);
    options.indirect_checks = 1;
    options.suspicion_mult = 3;
    options.gossip_interval = milliseconds(100);
    options.retransmit_mult = 2;
    options.gossip_to_the_dead_time = seconds(15);
    options.push_pull_interval = seconds(15);
    options.stream_timeout = seconds(1);
  }
  return options;
}

std::string_view problem_with(const HostedView& member, const CapacityOptions& capacity) {
  if (member.name.empty()) return "name is empty";
  if (member.name.size() > capacity.name_bytes_max) return "name is too long";
  if (member.advertise.address.empty()) return "advertise has no address";
  if (member.advertise.port == 0) return "advertise has no port";
  if (member.meta.size() > meta_bytes_limit) {
    return "Encoded length of tags exceeds limit of 512 bytes";
  }
  return {};
}

std::optional<std::string> problem_with(const EngineOptions& options) {
  const SwimOptions& swim = options.swim;
  const CapacityOptions& capacity = options.capacity;
  const auto at_most = [](const char* name, std::size_t value,
                          std::size_t bound) -> std::optional<std::string> {
    if (value <= bound) return std::nullopt;
    return std::string(name) + " is " + std::to_string(value) + ", the bound is " +
           std::to_string(bound);
  };
  if (options.name.empty()) return "name is empty";
  if (auto problem = at_most("name length", options.name.size(), capacity.name_bytes_max)) {
    return problem;
  }
  if (auto problem = at_most("name_bytes_max", capacity.name_bytes_max, 1024)) return problem;
  if (options.advertise.address.empty()) return "advertise has no address";
  if (options.advertise.port == 0) return "advertise has no port";
  if (options.meta.size() > meta_bytes_limit) {
    return "Encoded length of tags exceeds limit of 512 bytes";
  }
  if (auto problem = at_most("label length", options.label.size(), label_bytes_max)) {
    return problem;
  }
  if (options.versions.protocol_current < 1 || options.versions.protocol_current > 5) {
    return "protocol version " + std::to_string(options.versions.protocol_current) +
           " is not in 1..5";
  }
  if (capacity.members_max < 1) return "members_max is 0";
  if (auto problem = at_most("members_max", capacity.members_max, 1u << 24)) return problem;
  if (options.lanes < 1) return "lanes is 0";
  if (auto problem = at_most("lanes", options.lanes, lanes_max)) return problem;
  if (options.lanes > 1 && capacity.mail_ring_bytes < (std::size_t{64} << 10)) {
    return "mail_ring_bytes is below 65536";
  }
  if (auto problem = at_most("coordinates_max", capacity.coordinates_max, 1u << 24)) return problem;
  // Room for further lives and refutations.
  if (auto problem = at_most("earlier_incarnation", to_number(options.earlier_incarnation),
                             earlier_incarnation_max)) {
    return problem;
  }
  if (capacity.hosted_max < 1) return "hosted_max is 0";
  if (auto problem = at_most("hosted_max", capacity.hosted_max, 1u << 20)) return problem;
  if (auto problem = at_most("hosted members", options.hosted.size() + 1, capacity.hosted_max)) {
    return problem;
  }
  if (auto problem = at_most("hosted members", options.hosted.size() + 1, capacity.members_max)) {
    return problem;
  }
  for (const HostedMember& member : options.hosted) {
    const std::string_view problem = problem_with(HostedView(member), capacity);
    if (!problem.empty()) return "hosted member \"" + member.name + "\": " + std::string(problem);
  }
  if (capacity.open_queries_max < 1) return "open_queries_max is 0";
  if (auto problem = at_most("open_queries_max", capacity.open_queries_max, 1u << 16)) {
    return problem;
  }
  if (capacity.answerable_queries_max < 1) return "answerable_queries_max is 0";
  if (auto problem = at_most("answerable_queries_max", capacity.answerable_queries_max, 1u << 20)) {
    return problem;
  }
  if (auto problem = at_most("query_answers_max", capacity.query_answers_max, 1u << 24)) {
    return problem;
  }
  if (capacity.streams_max < 4) return "streams_max is below 4";
  if (auto problem = at_most("streams_max", capacity.streams_max, 4096)) return problem;
  if (auto problem = at_most("streams_per_source_max", capacity.streams_per_source_max,
                             capacity.streams_max)) {
    return problem;
  }
  if (capacity.relays_max < 1) return "relays_max is 0";
  if (auto problem = at_most("relays_max", capacity.relays_max, 1u << 20)) return problem;
  if (swim.udp_buffer_bytes < 512) return "udp_buffer_bytes is below 512";
  if (auto problem = at_most("udp_buffer_bytes", swim.udp_buffer_bytes, 60'000)) return problem;
  if (swim.suspicion_mult < 1) return "suspicion_mult is 0";
  if (auto problem = at_most("suspicion_mult", swim.suspicion_mult, 10)) return problem;
  if (swim.suspicion_max_timeout_mult < 1) return "suspicion_max_timeout_mult is 0";
  if (swim.awareness_max_multiplier < 1) return "awareness_max_multiplier is 0";
  if (auto problem = at_most("gossip_nodes", swim.gossip_nodes, 14)) return problem;
  if (auto problem = at_most("gossip_bytes_per_second_max", swim.gossip_bytes_per_second_max,
                             TokenBucket::bytes_per_second_max)) {
    return problem;
  }
  if (auto problem = at_most("indirect_checks", swim.indirect_checks, 14)) return problem;
  if (swim.probe_interval.count() > 0 && swim.probe_timeout.count() <= 0) {
    return "probe_timeout is not positive";
  }
  if (swim.stream_timeout.count() <= 0) return "stream_timeout is not positive";
  AllowList networks;
  for (const std::string& network : swim.cidrs_allowed) {
    if (!networks.add(network)) {
      return "cidrs_allowed: \"" + network + "\" is not a network, or is one too many";
    }
  }
  if (auto problem = at_most("user_event_bytes_max", options.serf.user_event_bytes_max, 9216)) {
    return "user event size limit exceeds limit of 9216 bytes";
  }
  // Queries and answers are built in scratch memory of 64 KiB.
  if (auto problem = at_most("query_bytes_max", options.serf.query_bytes_max, 32'768)) {
    return problem;
  }
  if (auto problem =
          at_most("query_response_bytes_max", options.serf.query_response_bytes_max, 32'768)) {
    return problem;
  }
  if (options.serf.event_slots < 1 || options.serf.query_slots < 1) {
    return "event_slots or query_slots is 0";
  }
  return std::nullopt;
}

}  // namespace starling
