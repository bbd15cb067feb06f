// Carries a fault plan out on a world, and ends it.
//
// Faults may overlap: probabilities combine, partitions and closed directions stack, a node that is
// already down does not crash again. Owned by a campaign, beside the world; one thread.
#pragma once

#include <vector>

#include "sim/faults.h"
#include "sim/questions.h"
#include "sim/world.h"

namespace starling::sim {

// A user event of the chaos, and who ran at that moment: those processes must get it.
struct SentEvent {
  std::string name;
  NodeId sender{};
  std::vector<std::uint32_t> lives;  // by node; 0: did not run
};

// What a fault of the kind query asks.
Question question_of(const Fault& fault, std::uint32_t number);

class Chaos {
 public:
  // The plan's instants count from now.
  Chaos(World& world, Questions& questions, FaultPlan plan);

  // Ends every fault: the network is sound, everybody runs and goes on. From here the cluster must
  // converge within a bound.
  void calm();

  const std::vector<SentEvent>& sent_events() const { return sent_; }

 private:
  void begin(std::uint32_t number);
  void end(std::uint32_t number);
  void set_conditions();
  double combined(FaultKind kind) const;

  World& world_;
  Questions& questions_;
  FaultPlan plan_;
  std::vector<bool> active_;
  bool over_ = false;
  std::vector<SentEvent> sent_;
};

}  // namespace starling::sim
