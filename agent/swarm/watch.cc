#include "agent/swarm/watch.h"

#include <algorithm>

#include "wire/base/check.h"

namespace starling::agent::swarm {

Watch::Watch(const Setting& setting, std::vector<std::uint32_t> subjects)
    : setting_(setting),
      subjects_(std::move(subjects)),
      ordinals_(setting.members, nobody),
      happened_(subjects_.size()),
      suspected_(subjects_.size()),
      reported_(subjects_.size() * setting.engines),
      reported_count_(setting.engines) {
  for (std::uint32_t i = 0; i < subjects_.size(); ++i) {
    CHECK(subjects_[i] < setting.members);
    ordinals_[subjects_[i]] = i;
  }
}

std::uint32_t Watch::since_start(Instant now) const {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(now - setting_.start);
  return static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(us.count() + 1, 1, std::int64_t{0xffff'ffff}));
}

void Watch::happened(std::uint32_t member, Instant now) {
  const std::uint32_t at = ordinal(member);
  if (at == nobody || happened_[at].load(std::memory_order_relaxed) != 0) return;
  happened_[at].store(since_start(now), std::memory_order_relaxed);
  happened_count_.fetch_add(1, std::memory_order_relaxed);
}

void Watch::suspected(std::uint32_t member, Instant now) {
  const std::uint32_t at = ordinal(member);
  if (at == nobody) return;
  const std::uint32_t value = since_start(now);
  std::uint32_t seen = suspected_[at].load(std::memory_order_relaxed);
  while ((seen == 0 || value < seen) &&
         !suspected_[at].compare_exchange_weak(seen, value, std::memory_order_relaxed)) {
  }
}

void Watch::reported(std::uint32_t engine, std::uint32_t member, MemberEventKind kind,
                     Instant now) {
  if (kind != setting_.expected) return;
  const std::uint32_t at = ordinal(member);
  if (at == nobody) return;
  // A report from before the event is about something else.
  if (happened_[at].load(std::memory_order_relaxed) == 0) return;
  Cell& cell = reported_[std::size_t{engine} * subjects_.size() + at];
  if (cell.load(std::memory_order_relaxed) != 0) return;
  cell.store(since_start(now), std::memory_order_relaxed);
  reported_count_[engine].fetch_add(1, std::memory_order_relaxed);
}

Watch::Result Watch::result(const std::vector<bool>& asked) const {
  Result result;
  const auto us = [](std::uint32_t from, std::uint32_t to) {
    return std::chrono::microseconds(to > from ? to - from : 0);
  };
  std::vector<std::uint32_t> times;
  for (std::size_t at = 0; at < subjects_.size(); ++at) {
    const std::uint32_t began = happened_[at].load(std::memory_order_relaxed);
    if (began == 0) continue;
    ++result.happened;
    const std::uint32_t suspected = suspected_[at].load(std::memory_order_relaxed);
    if (suspected != 0) result.suspicion.record(us(began, suspected));
    times.clear();
    bool all = true;
    for (std::uint32_t engine = 0; engine < setting_.engines; ++engine) {
      const std::uint32_t time =
          reported_[engine * subjects_.size() + at].load(std::memory_order_relaxed);
      if (time != 0) times.push_back(time);
      all = all && (time != 0 || !asked[engine]);
    }
    if (times.empty()) {
      ++result.reported_by_none;
      continue;
    }
    std::ranges::sort(times);
    result.detection.record(us(began, times.front()));
    for (std::size_t i = 1; i < times.size(); ++i) {
      result.spread.record(us(times.front(), times[i]));
    }
    if (!all) continue;
    ++result.reported_by_all;
    result.last.record(us(began, times.back()));
  }
  return result;
}

}  // namespace starling::agent::swarm
