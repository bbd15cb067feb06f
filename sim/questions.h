// Users who ask the cluster, and the owners of the engines who answer them.
//
// An owner judges the filters by tags, then answers as scripts do: at once or late, now and then
// twice, or with more than fits. What came of it is the checkers' business. Takes the world's
// event hook. Owned by a campaign, beside the world; one thread.
#pragma once

#include "sim/world.h"

namespace starling::sim {

class Questions {
 public:
  Questions(World& world, Random random);
  Questions(const Questions&) = delete;
  Questions& operator=(const Questions&) = delete;

  // False when the node is not running or its ring is full. The name was never used before.
  bool ask(NodeId asker, const Question& question);

 private:
  void on_query(NodeId node, const Event& event);
  struct Answer {
    NodeId node{};
    std::uint32_t life = 0;
    std::uint64_t query = 0;  // as the engine numbers it
    Instant deadline{};
    std::string name, payload;
    bool again = false;
  };
  void give(const Answer& answer);

  World& world_;
  Random random_;
};

}  // namespace starling::sim
