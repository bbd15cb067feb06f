#include "core/serf/coalesce.h"

namespace starling {

bool LastReported::report(const std::string& name, MemberEventKind kind) {
  const auto [at, added] = last_.try_emplace(name, Last{kind, order_});
  if (!added && at->second.kind == kind && kind != MemberEventKind::update) return false;
  at->second = Last{kind, order_++};
  if (last_.size() > names_max_) forget_oldest();
  return true;
}

void LastReported::forget_oldest() {
  std::vector<std::uint64_t> orders;
  orders.reserve(last_.size());
  for (const auto& [name, last] : last_) orders.push_back(last.order);
  const auto quarter = orders.begin() + static_cast<std::ptrdiff_t>(orders.size() / 4);
  std::nth_element(orders.begin(), quarter, orders.end());
  const std::uint64_t newest_forgotten = *quarter;
  std::erase_if(last_, [&](const auto& entry) { return entry.second.order <= newest_forgotten; });
}

}  // namespace starling
