#include "agent/members_mirror.h"

#include "wire/serf_messages.h"

namespace starling::agent {

std::string_view status_text(MemberStatus status) {
  switch (status) {
    case MemberStatus::none:
      return "none";
    case MemberStatus::alive:
      return "alive";
    case MemberStatus::leaving:
      return "leaving";
    case MemberStatus::left:
      return "left";
    case MemberStatus::failed:
      return "failed";
  }
  return "none";
}

MemberInfo member_of(const Event& event) {
  MemberInfo member{.name = std::string(event.name),
                    .address = event.endpoint.address,
                    .port = event.endpoint.port,
                    .tags = {},
                    .status = std::string(status_text(event.status)),
                    .versions = event.versions};
  for_each_tag(event.payload,
               [&](const Tag& tag) { member.tags[std::string(tag.key)] = std::string(tag.value); });
  return member;
}

void MembersMirror::apply(const Event& event) {
  if (event.change == MemberEventKind::reap) {
    if (const auto at = members_.find(event.name); at != members_.end()) members_.erase(at);
    return;
  }
  members_.insert_or_assign(std::string(event.name), member_of(event));
}

const MemberInfo* MembersMirror::find(std::string_view name) const {
  const auto at = members_.find(name);
  return at == members_.end() ? nullptr : &at->second;
}

}  // namespace starling::agent
