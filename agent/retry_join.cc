#include "agent/retry_join.h"

namespace starling::agent {

void RetryJoin::start() {
  log_.info("agent: Joining cluster...(replay: {})", options_.replay);
  join_(options_.targets, options_.replay, [this](std::size_t count, const std::string& error) {
    if (error.empty()) {
      log_.info("agent: Join completed. Synced with {} initial agents", count);
      return;
    }
    ++tries_;
    if (options_.tries_max > 0 && tries_ > options_.tries_max) {
      log_.err("agent: maximum retry join attempts made, exiting");
      exhausted_();
      return;
    }
    log_.warn("agent: Join failed: {}, retrying in {}", error, format_duration(options_.interval));
    const auto spread = static_cast<std::uint64_t>(options_.interval.count() / 10 + 1);
    const Duration delay =
        options_.interval + Duration(static_cast<std::int64_t>(rng_.below(spread)));
    timer_ = loop_.after(delay, [this] {
      timer_ = 0;
      start();
    });
  });
}

}  // namespace starling::agent
