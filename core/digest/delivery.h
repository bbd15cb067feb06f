// Delivery: sends our rows of a decoded difference and asks for the peer's, a burst at a time.
//
// A burst is what a socket's buffer surely takes; the exchange waits for the peer to say that it
// has got through one before it sends the next. Part of an exchange.
#pragma once

#include <cstdint>
#include <span>

#include "core/digest/rateless.h"
#include "core/digest/record_sender.h"

namespace starling {

class Delivery {
 public:
  // Sorts the differences, which must stay until done().
  void begin(std::span<Difference> differences);
  bool done() const { return at_ == differences_.size(); }
  void send_burst(const SyncHeader& header, SyncOutbox& out);

 private:
  std::span<const Difference> differences_;
  std::size_t at_ = 0;
};

}  // namespace starling
