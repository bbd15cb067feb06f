#include "sim/links.h"

#include <algorithm>
#include <cmath>

namespace starling::sim {

void Links::split(std::uint32_t number, std::vector<std::uint8_t> group_of_node) {
  CHECK(group_of_node.size() == nodes_);
  partitions_.push_back({number, std::move(group_of_node)});
}

void Links::heal(std::uint32_t number) {
  std::erase_if(partitions_, [&](const Partition& each) { return each.number == number; });
}

void Links::open_again(NodeId from, NodeId to) {
  std::uint16_t& closed = deaf_[at(from, to)];
  if (closed > 0) --closed;  // heal_all() may have come first
}

void Links::heal_all() {
  partitions_.clear();
  std::fill(deaf_.begin(), deaf_.end(), std::uint16_t{0});
}

bool Links::parted(NodeId a, NodeId b) const {
  return std::any_of(partitions_.begin(), partitions_.end(), [&](const Partition& each) {
    return each.group_of_node[index_of(a)] != each.group_of_node[index_of(b)];
  });
}

Duration Links::way(NodeId from, NodeId to) const {
  if (model_.plane_side == Duration::zero()) return Duration::zero();
  Random one = Random(seed_).fork("place", index_of(from));
  Random other = Random(seed_).fork("place", index_of(to));
  const double x = one.unit() - other.unit();
  const double y = one.unit() - other.unit();
  const double side = static_cast<double>(model_.plane_side.count());
  return Duration(static_cast<Duration::rep>(std::hypot(x, y) * side));
}

Duration Links::floor(NodeId from, NodeId to) const {
  Random link = Random(seed_).fork("floor", at(from, to));
  return link.between(model_.floor_min, model_.floor_max) + way(from, to);
}

Duration Links::latency(NodeId from, NodeId to, Random& random) const {
  const double draw = random.unit();
  return floor(from, to) +
         Duration(static_cast<Duration::rep>(draw * draw * draw *
                                             static_cast<double>(model_.jitter_max.count())));
}

}  // namespace starling::sim
