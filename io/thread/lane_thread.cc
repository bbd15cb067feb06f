#include "io/thread/lane_thread.h"

#include <hwloc.h>
#include <pthread.h>

#include <cerrno>

#include "io/errno_text.h"

namespace starling::io {

namespace {

// nullopt when the thread is bound.
std::optional<std::string> bind_to_core(std::thread& thread, unsigned core) {
  hwloc_topology_t topology;
  if (hwloc_topology_init(&topology) != 0) return "read the machine's topology";
  std::optional<std::string> error;
  if (hwloc_topology_load(topology) != 0) {
    error = "read the machine's topology";
  } else if (const hwloc_obj_t object = hwloc_get_obj_by_type(topology, HWLOC_OBJ_CORE, core);
             object == nullptr) {
    const int cores = hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_CORE);
    error = "core " + std::to_string(core) + ": this machine has " + std::to_string(cores);
  } else if (hwloc_set_thread_cpubind(topology, thread.native_handle(), object->cpuset, 0) != 0) {
    error = "bind to core " + std::to_string(core) + ": " + errno_text(errno);
  }
  hwloc_topology_destroy(topology);
  return error;
}

}  // namespace

std::optional<std::string> LaneThread::launch(std::function<void()> body, const Options& options) {
  thread_ = std::thread(std::move(body));
  ::pthread_setname_np(thread_.native_handle(), options.name.substr(0, 15).c_str());
  if (!options.core) return std::nullopt;
  std::optional<std::string> error = bind_to_core(thread_, *options.core);
  if (error) stop();
  return error;
}

void LaneThread::stop() {
  if (!thread_.joinable()) return;
  // Pairs with the load in run_lane().
  stop_.store(true, std::memory_order_release);
  ports_->wake();
  thread_.join();
}

}  // namespace starling::io
