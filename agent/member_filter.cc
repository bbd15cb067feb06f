#include "agent/member_filter.h"

#include <re2/re2.h>

#include "agent/members_mirror.h"

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

bool MemberFilter::matches(const MemberView& member) {
  if (status_ && !re2::RE2::PartialMatch(to_text(member.status), *status_)) return false;
  if (!tags_.empty()) {
    // Sets of tags lie at least 64 bytes apart.
    const auto address = reinterpret_cast<std::uintptr_t>(member.tags.data());
    Judged& judged = judged_[(address >> 6) % judged_.size()];
    if (judged.tags != member.tags.data()) {
      judged = {.tags = member.tags.data(), .match = match_tags(member.tags)};
    }
    if (!judged.match) return false;
  }
  return !name_ || re2::RE2::PartialMatch(member.name, *name_);
}

bool MemberFilter::match_tags(std::string_view encoded) const {
  const Tags present = decode_tags(encoded);
  for (const auto& [key, expression] : tags_) {
    const auto tag = present.find(key);
    const std::string& value = tag == present.end() ? std::string() : tag->second;
    if (!re2::RE2::PartialMatch(value, *expression)) return false;
  }
  return true;
}

}  // namespace starling::agent
