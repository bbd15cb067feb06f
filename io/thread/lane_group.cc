#include "io/thread/lane_group.h"

#include <hwloc.h>

#include "wire/base/check.h"

namespace starling::io {

std::expected<std::unique_ptr<LaneGroup>, std::string> LaneGroup::start(
    Engine& engine, std::span<Ports* const> ports, std::function<void()> on_news,
    const Options& options) {
  const std::span<Lane> lanes = engine.lanes();
  CHECK(ports.size() == lanes.size());
  std::unique_ptr<LaneGroup> group(new LaneGroup(ports));
  const unsigned core_count = options.pin ? cores() : 1;
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    LaneThread::Options thread_options{
        .name = lanes.size() == 1 ? "lane" : "lane " + std::to_string(i), .run = options.run};
    if (options.pin) thread_options.core = static_cast<unsigned>(i) % core_count;
    if (lanes.size() > 1) {
      thread_options.run.bells = &group->bells_;
      thread_options.run.lane = i;
    }
    auto thread = LaneThread::start(lanes[i], *ports[i], on_news, thread_options);
    if (!thread) return std::unexpected("lane " + std::to_string(i) + ": " + thread.error());
    group->threads_.push_back(std::move(*thread));
  }
  return group;
}

void LaneGroup::stop() {
  for (const auto& thread : threads_) thread->stop();
}

unsigned LaneGroup::cores() {
  hwloc_topology_t topology;
  if (hwloc_topology_init(&topology) != 0) return 1;
  int count = 1;
  if (hwloc_topology_load(topology) == 0) {
    count = hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_CORE);
  }
  hwloc_topology_destroy(topology);
  return count < 1 ? 1u : static_cast<unsigned>(count);
}

}  // namespace starling::io
