// How long who guesses RPC tokens has to wait for the next try.
//
// A wrong token makes every further one from the same source wait before it is looked at: a tenth
// of a second, doubled with each, up to a few. The wait comes before the comparison, so hanging up
// early and dialling again gains nothing: what was not waited for was not compared. Tries that wait
// at the same time count as wrong until they turn out right, so many connections are not as many
// free tries. A source that is known for wrong tokens and has the right one after all waits as
// well, never longer than the longest wait; other sources do not wait.
//
// Sources are those of core/base/source.h. Owned by RpcServer, control thread only. Bound:
// sources_max rows; beyond that the source that was quiet for longest is forgotten.
#pragma once

#include <algorithm>
#include <map>

#include "core/base/time.h"
#include "wire/base/types.h"

namespace starling::agent {

class TokenGuesses {
 public:
  static constexpr Duration first_wait = std::chrono::milliseconds(100);
  static constexpr Duration longest_wait = std::chrono::seconds(4);
  // How long it takes to forget one wrong token.
  static constexpr Duration forgotten_after = std::chrono::seconds(10);
  static constexpr std::size_t sources_max = 1024;

  // `wait_max` bounds the waits below longest_wait, for servers that give clients less time.
  explicit TokenGuesses(Duration wait_max = longest_wait)
      : wait_max_(std::min(wait_max, longest_wait)) {}

  // A token came: how long it waits before it is compared. It counts as wrong until right().
  Duration came(const IpAddress& from, Instant now);
  // It was compared, and is right.
  void right(const IpAddress& from);

  std::size_t sources() const { return sources_.size(); }

 private:
  // 100 ms doubled six times is beyond the longest wait; one more, so that a source that goes on
  // does not gain by what is forgotten.
  static constexpr unsigned wrong_max = 8;

  struct Source {
    unsigned wrong = 0;
    Instant counted_at;  // `wrong` is as of then
    Instant heard;
  };
  void forget_some(Instant now);

  Duration wait_max_;
  std::map<IpAddress, Source> sources_;
};

}  // namespace starling::agent
