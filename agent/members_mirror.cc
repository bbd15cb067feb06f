#include "agent/members_mirror.h"

#include <algorithm>
#include <bit>

#include "agent/rpc_writer.h"
#include "core/base/hash.h"
#include "wire/base/check.h"
#include "wire/serf_messages.h"

namespace starling::agent {
namespace {

constexpr std::size_t index_size_min = 64;
constexpr std::size_t kept_max_floor = 1024;

Tags tags_of(const Event& event) {
  Tags tags;
  for_each_tag(event.payload,
               [&](const Tag& tag) { tags[std::string(tag.key)] = std::string(tag.value); });
  return tags;
}

}  // namespace

MemberInfo member_of(const Event& event) {
  return {.name = std::string(event.name),
          .address = event.endpoint.address,
          .port = event.endpoint.port,
          .tags = tags_of(event),
          .status = std::string(to_text(event.status)),
          .versions = event.versions};
}

MembersMirror::MembersMirror(std::uint32_t members_max) {
  rows_.reserve(members_max);
  index_.resize(std::max(index_size_min, std::bit_ceil(std::size_t{members_max} * 2)));
}

std::size_t MembersMirror::home(std::string_view name) const {
  return static_cast<std::size_t>(to_number(hash_name(name))) & (index_.size() - 1);
}

std::size_t MembersMirror::place_of(std::string_view name) const {
  std::size_t place = home(name);
  while (index_[place] != 0 && rows_[index_[place] - 1].name != name) {
    place = (place + 1) & (index_.size() - 1);
  }
  return place;
}

void MembersMirror::note(std::string_view name, std::uint32_t slot) {
  if ((size_ + 1) * 2 > index_.size()) {
    const std::vector<std::uint32_t> before = std::move(index_);
    index_.assign(before.size() * 2, 0);
    for (const std::uint32_t number : before) {
      if (number != 0) index_[place_of(rows_[number - 1].name)] = number;
    }
  }
  index_[place_of(name)] = slot + 1;
  ++size_;
}

// Moves back what stands behind the gap and would not be found across it.
void MembersMirror::take_note_away(std::size_t place) {
  const std::size_t mask = index_.size() - 1;
  std::size_t gap = place;
  for (std::size_t next = (gap + 1) & mask; index_[next] != 0; next = (next + 1) & mask) {
    const std::size_t wanted = home(rows_[index_[next] - 1].name);
    if (((next - wanted) & mask) < ((next - gap) & mask)) continue;
    index_[gap] = index_[next];
    gap = next;
  }
  index_[gap] = 0;
  --size_;
}

std::uint32_t MembersMirror::new_row() {
  if (!free_.empty()) {
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    return slot;
  }
  CHECK(rows_.size() < std::size_t{1} << (32 - status_bits));
  rows_.emplace_back();
  return static_cast<std::uint32_t>(rows_.size() - 1);
}

void MembersMirror::apply(const Event& event) {
  if (event.change == MemberEventKind::reap) return remove(event.name);
  std::uint32_t number = index_[place_of(event.name)];
  if (number == 0) {
    const std::uint32_t slot = new_row();
    rows_[slot].name = event.name;
    rows_[slot].listed = true;
    note(event.name, slot);
    number = slot + 1;
  }
  Row& row = rows_[number - 1];
  row.endpoint = event.endpoint;
  row.versions = event.versions;
  row.status = event.status;
  encoded_.clear();
  RpcWriter(encoded_).tags(tags_of(event));
  if (row.tags != nullptr && TagSets::encoded(*row.tags) == encoded_) return;
  TagSets::Held& tags = tag_sets_.take(encoded_);
  if (row.tags != nullptr) tag_sets_.release(*row.tags);
  row.tags = &tags;
}

void MembersMirror::remove(std::string_view name) {
  const std::size_t place = place_of(name);
  if (index_[place] == 0) return;
  const std::uint32_t slot = index_[place] - 1;
  take_note_away(place);
  rows_[slot].listed = false;
  if (open_listings_ == 0) return release(slot);
  kept_.push_back(slot);
  if (kept_.size() > std::max(kept_max_floor, size_)) {
    ++generation_;
    open_listings_ = 0;
    release_kept();
  }
}

void MembersMirror::release(std::uint32_t slot) {
  Row& row = rows_[slot];
  tag_sets_.release(*row.tags);
  row = Row();
  free_.push_back(slot);
}

void MembersMirror::release_kept() {
  for (const std::uint32_t slot : kept_) release(slot);
  kept_.clear();
}

std::optional<MemberView> MembersMirror::find(std::string_view name) const {
  const std::uint32_t number = index_[place_of(name)];
  if (number == 0) return std::nullopt;
  return view_of(rows_[number - 1]);
}

MembersMirror::Listing MembersMirror::list() {
  return list([](const MemberView&) { return true; });
}

MembersMirror::Listing MembersMirror::open(std::vector<Entry> entries) {
  if (entries.size() <= sorted_max) {
    std::ranges::sort(entries, {}, [&](Entry entry) -> std::string_view {
      return rows_[entry >> status_bits].name;
    });
  }
  return Listing(*this, std::move(entries));
}

MembersMirror::Listing::Listing(MembersMirror& mirror, std::vector<Entry> entries)
    : mirror_(&mirror), generation_(mirror.generation_), entries_(std::move(entries)) {
  ++mirror.open_listings_;
}

MembersMirror::Listing::Listing(Listing&& other) noexcept
    : mirror_(std::exchange(other.mirror_, nullptr)),
      generation_(other.generation_),
      entries_(std::move(other.entries_)),
      given_(other.given_) {}

MembersMirror::Listing& MembersMirror::Listing::operator=(Listing&& other) noexcept {
  std::swap(mirror_, other.mirror_);
  std::swap(generation_, other.generation_);
  std::swap(entries_, other.entries_);
  std::swap(given_, other.given_);
  return *this;
}

MembersMirror::Listing::~Listing() {
  close();
}

void MembersMirror::Listing::close() {
  if (mirror_ == nullptr || lost()) return;
  if (--mirror_->open_listings_ == 0) mirror_->release_kept();
}

MemberView MembersMirror::Listing::next() {
  CHECK(left() > 0 && !lost());
  const Entry entry = entries_[given_++];
  MemberView view = view_of(mirror_->rows_[entry >> status_bits]);
  view.status = static_cast<MemberStatus>(entry & ((1U << status_bits) - 1));
  return view;
}

}  // namespace starling::agent
