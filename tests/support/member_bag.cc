#include "tests/support/member_bag.h"

#include <algorithm>
#include <cstdio>

#include "core/base/rng.h"

namespace starling::test {

namespace {

std::optional<Mark> mark_if_digested(const DigestKey& key, const MemberRecord& record) {
  if (!is_digested(record.state)) return std::nullopt;
  return mark_of(key, record);
}

}  // namespace

MemberBag::MemberBag(const Options& options)
    : block_(DigestTable::footprint(options.cells) + cache_line_bytes),
      digest_(std::make_unique<DigestTable>(block_.arena(), DigestKey(options.key), options.cells)),
      buckets_(bucket_count) {}

MemberRecord MemberBag::view(const BagRow& row) const {
  return {.name = {row.name.data(), row.name_bytes},
          .hash = row.hash,
          .incarnation = row.incarnation,
          .endpoint = row.endpoint,
          .versions = {},
          .meta = as_bytes(metas_[row.meta]),
          .status_time = row.status_time,
          .state = row.state};
}

const BagRow* MemberBag::row_of(NameHash hash, std::string_view name) const {
  const std::vector<BagRow>& rows = buckets_[to_number(bucket_of(hash))];
  const auto row = std::ranges::find_if(
      rows, [&](const BagRow& one) { return one.hash == hash && view(one).name == name; });
  return row == rows.end() ? nullptr : &*row;
}

BagRow* MemberBag::row_of(NameHash hash, std::string_view name) {
  return const_cast<BagRow*>(std::as_const(*this).row_of(hash, name));
}

std::uint16_t MemberBag::meta_of(Bytes meta) {
  const std::string_view text = as_text(meta);
  const auto found = std::ranges::find(metas_, text);
  if (found != metas_.end()) return static_cast<std::uint16_t>(found - metas_.begin());
  metas_.emplace_back(text);
  CHECK(metas_.size() < UINT16_MAX);
  return static_cast<std::uint16_t>(metas_.size() - 1);
}

void MemberBag::changed(const std::optional<Mark>& before, const BagRow* after) {
  if (filling) return;
  const auto mark = after ? mark_if_digested(digest_->key(), view(*after)) : std::nullopt;
  if (before && mark) return digest_->replace(*before, *mark);
  if (before) return digest_->remove(*before);
  if (mark) digest_->add(*mark);
}

void MemberBag::put(const MemberRecord& record) {
  BagRow* row = row_of(record.hash, record.name);
  const auto before = row && !filling ? mark_if_digested(digest_->key(), view(*row)) : std::nullopt;
  if (!row) row = &buckets_[to_number(bucket_of(record.hash))].emplace_back();
  CHECK(record.name.size() <= row->name.size());
  std::ranges::copy(record.name, row->name.begin());
  row->name_bytes = static_cast<std::uint8_t>(record.name.size());
  row->state = record.state;
  row->meta = meta_of(record.meta);
  row->incarnation = record.incarnation;
  row->hash = record.hash;
  row->status_time = record.status_time;
  row->endpoint = record.endpoint;
  changed(before, row);
}

void MemberBag::erase(std::string_view name) {
  const NameHash hash = hash_name(name);
  BagRow* const row = row_of(hash, name);
  CHECK(row != nullptr);
  const auto before = mark_if_digested(digest_->key(), view(*row));
  std::vector<BagRow>& rows = buckets_[to_number(bucket_of(hash))];
  rows.erase(rows.begin() + (row - rows.data()));
  changed(before, nullptr);
}

void MemberBag::rebuild() {
  digest_->clear();
  std::vector<Mark> marks;
  for (const std::vector<BagRow>& rows : buckets_) {
    marks.clear();
    for (const BagRow& row : rows) {
      if (is_digested(row.state)) marks.push_back(mark_of(digest_->key(), view(row)));
    }
    digest_->add_all(marks);
  }
}

std::size_t MemberBag::size() const {
  std::size_t total = 0;
  for (const std::vector<BagRow>& rows : buckets_) total += rows.size();
  return total;
}

void MemberBag::for_each_in_buckets(Bucket first, std::uint32_t buckets,
                                    const RecordVisitor& visit) const {
  for (std::uint32_t i = to_number(first); i < to_number(first) + buckets; ++i) {
    for (const BagRow& row : buckets_[i]) {
      if (is_digested(row.state) && !visit(view(row))) return;
    }
  }
}

std::optional<MemberRecord> MemberBag::find(NameHash hash, std::string_view name) const {
  const BagRow* const row = row_of(hash, name);
  if (row == nullptr) return std::nullopt;
  return view(*row);
}

void MemberBag::apply(const MemberRecord& record, const Endpoint&) {
  ++applied_;
  if (record.name.size() > sizeof(BagRow::name)) return;
  const BagRow* const row = row_of(record.hash, record.name);
  if (row == nullptr) {
    if (record.state == MemberState::alive) put(record);
    return;
  }
  MemberRecord merged = view(*row);
  if (record.state == MemberState::alive) {
    if (record.incarnation > merged.incarnation) {
      const LamportTime status_time = merged.status_time;
      merged = record;
      merged.status_time = std::max(record.status_time, status_time);
    } else if (record.incarnation == merged.incarnation && is_digested(merged.state)) {
      merged.status_time = std::max(record.status_time, merged.status_time);
    }
  } else if (record.incarnation >= merged.incarnation && is_digested(merged.state)) {
    merged.incarnation = record.incarnation;
    merged.state = record.state == MemberState::left ? MemberState::left : MemberState::suspect;
  }
  // The view's name lies in the row that is written.
  const std::string name(merged.name);
  const std::string meta(as_text(merged.meta));
  merged.name = name;
  merged.meta = as_bytes(meta);
  put(merged);
}

MemberRecord made_up_record(std::uint32_t number, bool plain_names, std::string& name) {
  std::array<char, 24> text;
  const int size = plain_names
                       ? std::snprintf(text.data(), text.size(), "node-%011u", number)
                       : std::snprintf(text.data(), text.size(), "%016llx",
                                       static_cast<unsigned long long>(Rng(number + 1ULL).next()));
  name.assign(text.data(), static_cast<std::size_t>(size));
  static const std::array<std::string, 3> metas{"role=web,dc=north", "role=db,dc=north",
                                                "role=web,dc=south,rack=12"};
  const auto byte = [&](std::uint32_t shift) { return static_cast<std::uint8_t>(number >> shift); };
  return {.name = name,
          .hash = hash_name(name),
          .incarnation = Incarnation{1 + number % 3},
          .endpoint = {IpAddress::v4(10, byte(16), byte(8), byte(0)), 7946},
          .versions = {},
          .meta = as_bytes(metas[number % metas.size()]),
          .status_time = LamportTime{1 + number % 1000}};
}

}  // namespace starling::test
