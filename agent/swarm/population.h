// Population: who the members of a swarm are, and which of them were done something to.
//
// Members are numbers. A number's name, engine and engine's address follow from it, so nobody keeps
// a table of names. What an act does to a member is noted in one byte that every engine's thread
// reads when it hears of a failure.
#pragma once

#include <atomic>
#include <optional>
#include <string_view>
#include <vector>

#include "wire/base/types.h"

namespace starling::agent::swarm {

// A member's name: "m0000123".
class MemberName {
 public:
  static constexpr std::size_t name_bytes = 8;
  static constexpr std::uint32_t numbers_end = 10'000'000;

  explicit MemberName(std::uint32_t number);
  std::string_view text() const { return {text_.data(), text_.size()}; }

 private:
  std::array<char, name_bytes> text_;
};
// nullopt for a name that is no member's.
std::optional<std::uint32_t> number_from_name(std::string_view name);

// Where engine `index` listens: 127.77.x.y, which is this machine with every kind of port.
inline constexpr std::uint32_t engines_limit = 4'096;
Endpoint engine_endpoint(std::uint32_t index);
// nullopt for an endpoint that is no engine's.
std::optional<std::uint32_t> engine_at(const Endpoint& endpoint);

class Population {
 public:
  // Each engine hosts a run of neighbouring numbers, all of the same length or one longer.
  Population(std::uint32_t members, std::uint32_t engines);

  std::uint32_t members() const { return members_; }
  std::uint32_t engines() const { return engines_; }
  // The first member of an engine; for `engines()` the end of them all.
  std::uint32_t first_of(std::uint32_t engine) const {
    return static_cast<std::uint32_t>(std::uint64_t{members_} * engine / engines_);
  }
  std::uint32_t engine_of(std::uint32_t member) const;

  // Excused: that the member fails is no mistake, because an act has ended or troubled it. Any
  // thread reads; the director alone writes, before it gives the order.
  void excuse(std::uint32_t member, bool excused) {
    excused_[member].store(excused, std::memory_order_relaxed);
  }
  bool excused(std::uint32_t member) const {
    return everybody_.load(std::memory_order_relaxed) ||
           excused_[member].load(std::memory_order_relaxed);
  }
  // While a fault is on that may make anybody look dead.
  void excuse_everybody(bool excused) { everybody_.store(excused, std::memory_order_relaxed); }

 private:
  std::uint32_t members_;
  std::uint32_t engines_;
  std::vector<std::atomic<bool>> excused_;
  std::atomic<bool> everybody_ = false;
};

}  // namespace starling::agent::swarm
