#include "agent/member_filter.h"

#include <re2/re2.h>

namespace starling::agent {
namespace {

// Null when the expression is not valid.
std::unique_ptr<re2::RE2> anchored(const std::string& expression) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  auto compiled = std::make_unique<re2::RE2>("^" + expression + "$", options);
  return compiled->ok() ? std::move(compiled) : nullptr;
}

}  // namespace

MemberFilter::MemberFilter() = default;
MemberFilter::~MemberFilter() = default;
MemberFilter::MemberFilter(MemberFilter&&) noexcept = default;
MemberFilter& MemberFilter::operator=(MemberFilter&&) noexcept = default;

std::optional<MemberFilter> MemberFilter::from(const MembersFilteredRequest& request) {
  MemberFilter filter;
  if (!request.name.empty()) {
    filter.name_ = anchored(request.name);
    if (!filter.name_) return std::nullopt;
  }
  if (!request.status.empty()) {
    filter.status_ = anchored(request.status);
    if (!filter.status_) return std::nullopt;
  }
  for (const auto& [key, expression] : request.tags) {
    auto compiled = anchored(expression);
    if (!compiled) return std::nullopt;
    filter.tags_.emplace_back(key, std::move(compiled));
  }
  return filter;
}

bool MemberFilter::matches(const MemberInfo& member) const {
  if (name_ && !re2::RE2::PartialMatch(member.name, *name_)) return false;
  if (status_ && !re2::RE2::PartialMatch(member.status, *status_)) return false;
  for (const auto& [key, expression] : tags_) {
    const auto tag = member.tags.find(key);
    const std::string& value = tag == member.tags.end() ? std::string() : tag->second;
    if (!re2::RE2::PartialMatch(value, *expression)) return false;
  }
  return true;
}

}  // namespace starling::agent
