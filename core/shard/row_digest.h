// RowDigest: keeps the digest right while one row changes.
//
// Made before a row changes and gone after it: takes what the row added to the digest out and puts
// in what it adds now. Scopes for the same row may nest; the outermost does the work. A node
// without digests pays nothing.
#pragma once

#include <optional>

#include "core/shard/node.h"

namespace starling {

class RowDigest {
 public:
  RowDigest(Node& node, Slot slot);
  ~RowDigest();
  RowDigest(const RowDigest&) = delete;
  RowDigest& operator=(const RowDigest&) = delete;

 private:
  Node& node_;
  Slot slot_;
  Slot outer_ = no_slot;
  bool watches_ = false;
  std::optional<Mark> before_;
};

// What the row adds to the digest; nothing where it does not count.
std::optional<Mark> mark_of_row(const Node& node, Slot slot);
// The row as reconciliation sees it.
MemberRecord record_of(const Node& node, Slot slot);

}  // namespace starling
