// The member list as the control thread knows it: a copy kept from the engine's member events.
//
// Every member event carries the whole row, so the mirror needs no other source. An event costs a
// hash look-up whatever the size; a row costs about 100 bytes (a name beyond 15 bytes 32 more), and
// equal tags are stored once. Owned by the agent, used by the control thread only. Bounded by the
// engine's member table.
//
// A listing is how a long list is read while members come and go. It holds the rows that were
// wanted when it was opened, 4 bytes each: exactly those come, each once, with the name and status
// of that moment and the newest address, tags and versions. Rows that were reaped meanwhile stay
// until no listing needs them. The bound on those: as many as there are members (and 1024); beyond
// it all are let go, and the listings that are open then are lost.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/member_info.h"
#include "agent/tag_sets.h"
#include "core/shard/events.h"

namespace starling::agent {

// An owning copy of the row of a member event.
MemberInfo member_of(const Event& event);
class MembersMirror {
 public:
  class Listing;
  // How far a visit of all members has come; see visit_more().
  class Walk {
    friend class MembersMirror;
    std::uint32_t next_ = 0;  // slot
  };
  // Lists of at most so many are in the order of names; longer ones are not worth the time that
  // sorting would keep the control thread from everything else.
  static constexpr std::size_t sorted_max = 16'384;

  // Makes room for `members_max` rows; more are taken, with a pause now and then to make room.
  explicit MembersMirror(std::uint32_t members_max = 0);
  MembersMirror(const MembersMirror&) = delete;
  MembersMirror& operator=(const MembersMirror&) = delete;

  // Takes an event of kind member: a reap removes the row, everything else replaces it.
  void apply(const Event& event);

  // Valid until the next apply().
  std::optional<MemberView> find(std::string_view name) const;
  std::size_t size() const { return size_; }
  // Different tags among all members.
  std::size_t tag_sets() const { return tag_sets_.size(); }

  // The members for which wanted(const MemberView&) is true. The mirror must outlive the listing.
  template <class Wanted>
  Listing list(Wanted&& wanted);
  Listing list();

  // Visits all members in portions, in no order, so that a million hold nothing up. Rows may come
  // and go in between: who is here all the while is visited once, the others perhaps, as they are
  // then. At most `rows_max` rows a time, free ones among them; false: that was all.
  template <class Visit>
  bool visit_more(Walk& walk, std::size_t rows_max, Visit&& visit) const;

 private:
  // Names a row: slot << status_bits | the status that a listing has seen.
  using Entry = std::uint32_t;
  static constexpr unsigned status_bits = 3;

  struct Row {
    std::string name;
    TagSets::Held* tags = nullptr;  // nullptr: a free row
    Endpoint endpoint;
    Versions versions;
    MemberStatus status = MemberStatus::none;
    bool listed = false;  // false: free, or kept for listings
  };
  static MemberView view_of(const Row& row) {
    return {.name = row.name,
            .endpoint = row.endpoint,
            .status = row.status,
            .versions = row.versions,
            .tags = TagSets::encoded(*row.tags)};
  }

  std::size_t home(std::string_view name) const;
  // Where the name's row is noted, or the empty place where it would be.
  std::size_t place_of(std::string_view name) const;
  void note(std::string_view name, std::uint32_t slot);
  void take_note_away(std::size_t place);
  std::uint32_t new_row();
  void remove(std::string_view name);
  void release(std::uint32_t slot);
  void release_kept();
  Listing open(std::vector<Entry> entries);

  std::vector<Row> rows_;
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> kept_;   // reaped, but in an open listing perhaps
  std::vector<std::uint32_t> index_;  // slot + 1, open addressing by name; 0: empty
  std::size_t size_ = 0;
  TagSets tag_sets_;
  std::string encoded_;  // room for the tags of the row that is being applied

  std::uint64_t generation_ = 0;   // of the listings that are not lost
  std::size_t open_listings_ = 0;  // of this generation
};

// Move-only. Rows may be applied to the mirror between calls.
class MembersMirror::Listing {
 public:
  Listing(Listing&& other) noexcept;
  Listing& operator=(Listing&& other) noexcept;
  ~Listing();

  // How many next() gives in all.
  std::size_t size() const { return entries_.size(); }
  std::size_t left() const { return entries_.size() - given_; }
  // The rest is not there any more; next() must not be called.
  bool lost() const { return mirror_->generation_ != generation_; }
  // Wants left() > 0. Valid until the mirror's next apply().
  MemberView next();

 private:
  friend class MembersMirror;
  Listing(MembersMirror& mirror, std::vector<Entry> entries);
  void close();

  MembersMirror* mirror_;
  std::uint64_t generation_;
  std::vector<Entry> entries_;
  std::size_t given_ = 0;
};

template <class Wanted>
MembersMirror::Listing MembersMirror::list(Wanted&& wanted) {
  std::vector<Entry> entries;
  entries.reserve(size_);
  for (std::uint32_t slot = 0; slot < rows_.size(); ++slot) {
    const Row& row = rows_[slot];
    if (!row.listed || !wanted(view_of(row))) continue;
    entries.push_back(slot << status_bits | static_cast<Entry>(row.status));
  }
  return open(std::move(entries));
}

template <class Visit>
bool MembersMirror::visit_more(Walk& walk, std::size_t rows_max, Visit&& visit) const {
  for (; rows_max > 0 && walk.next_ < rows_.size(); --rows_max) {
    const Row& row = rows_[walk.next_++];
    if (row.listed) visit(view_of(row));
  }
  return walk.next_ < rows_.size();
}

}  // namespace starling::agent
