// What can reach what right now, and how long it takes: partitions, deaf directions, latency.
//
// Owned by the world; the datagram and the stream model both ask it, so that a partition cuts both.
// Values; one thread.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/time.h"
#include "sim/node_id.h"
#include "sim/random.h"

namespace starling::sim {

struct LatencyModel {
  // Each directed link draws its own floor once, between these.
  Duration floor_min = std::chrono::microseconds(50);
  Duration floor_max = std::chrono::microseconds(500);
  // On top, per datagram or segment: mostly little, sometimes up to this (the cube of a unit draw).
  Duration jitter_max = std::chrono::microseconds(500);
  // Every node has a place in a square of this side, one way across it; a link takes the way
  // between two places on top of its floor. Zero: all nodes are at one place.
  Duration plane_side = Duration::zero();
};

class Links {
 public:
  // `seed` decides the floors: they do not depend on how often latency() is drawn.
  Links(std::size_t nodes, const LatencyModel& model, std::uint64_t seed)
      : nodes_(nodes), model_(model), seed_(seed), dark_(nodes), deaf_(nodes * nodes) {}

  std::size_t nodes() const { return nodes_; }

  // Nodes of different groups stop hearing each other until heal() of the same number. Several
  // partitions may be in force; a link is open when all of them allow it.
  void split(std::uint32_t number, std::vector<std::uint8_t> group_of_node);
  void heal(std::uint32_t number);
  // One direction loses everything. Nests: as many opens as closes.
  void close(NodeId from, NodeId to) { ++deaf_[at(from, to)]; }
  void open_again(NodeId from, NodeId to);
  // The machine is off: nothing leaves or arrives, nobody answers for it.
  void set_dark(NodeId node, bool dark) { dark_[index_of(node)] = dark; }
  // Ends partitions and deaf directions; machines that are off stay off.
  void heal_all();

  bool open(NodeId from, NodeId to) const {
    return deaf_[at(from, to)] == 0 && !dark(from) && !dark(to) && !parted(from, to);
  }
  bool dark(NodeId node) const { return dark_[index_of(node)]; }
  bool deaf(NodeId from, NodeId to) const { return deaf_[at(from, to)] != 0; }
  bool parted(NodeId a, NodeId b) const;

  // What a link takes at the least.
  Duration floor(NodeId from, NodeId to) const;
  // One draw.
  Duration latency(NodeId from, NodeId to, Random& random) const;

 private:
  struct Partition {
    std::uint32_t number;
    std::vector<std::uint8_t> group_of_node;
  };
  // The time that light takes from one place to another.
  Duration way(NodeId from, NodeId to) const;
  std::size_t at(NodeId from, NodeId to) const { return index_of(from) * nodes_ + index_of(to); }

  std::size_t nodes_;
  LatencyModel model_;
  std::uint64_t seed_;
  std::vector<bool> dark_;
  std::vector<std::uint16_t> deaf_;
  std::vector<Partition> partitions_;
};

}  // namespace starling::sim
