#include "agent/token_guesses.h"

#include "core/base/source.h"

namespace starling::agent {

Duration TokenGuesses::came(const IpAddress& from, Instant now) {
  const IpAddress key = source_of(from);
  if (sources_.size() >= sources_max && !sources_.contains(key)) forget_some(now);
  Source& source = sources_.try_emplace(key, Source{.counted_at = now, .heard = now}).first->second;
  source.heard = now;
  const auto forgotten = (now - source.counted_at) / forgotten_after;
  source.counted_at += forgotten * forgotten_after;
  source.wrong -= static_cast<unsigned>(std::min<std::int64_t>(forgotten, source.wrong));
  if (source.wrong == 0) source.counted_at = now;
  const unsigned before = source.wrong;
  source.wrong = std::min(before + 1, wrong_max);
  if (before == 0) return Duration::zero();
  return std::min(first_wait * (1 << (before - 1)), wait_max_);
}

void TokenGuesses::right(const IpAddress& from) {
  const auto at = sources_.find(source_of(from));
  if (at == sources_.end()) return;
  if (at->second.wrong > 0) --at->second.wrong;
  if (at->second.wrong == 0) sources_.erase(at);
}

void TokenGuesses::forget_some(Instant now) {
  std::erase_if(sources_, [&](const auto& entry) {
    const Source& source = entry.second;
    return (now - source.counted_at) / forgotten_after >= source.wrong;
  });
  if (sources_.size() < sources_max) return;
  sources_.erase(
      std::ranges::min_element(sources_, {}, [](const auto& entry) { return entry.second.heard; }));
}

}  // namespace starling::agent
