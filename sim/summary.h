// A datagram in words, for traces: "ping n003 seq=17, alive n001 inc=2".
//
// Peels the layers as a node would (protocol/memberlist sections 4 and 6) and names every message.
// Used only while a trace is printed; one thread.
#pragma once

#include <string>
#include <vector>

#include "core/shard/options.h"
#include "wire/envelope.h"

namespace starling::sim {

class Summary {
 public:
  // Label and keys are those of `options`.
  explicit Summary(const EngineOptions& options);
  std::string of(Bytes datagram);

 private:
  std::string message(Bytes part);

  std::string label_;
  EnvelopePolicy policy_;
  Cipher cipher_;
  std::vector<std::byte> workspace_;
  Peeler peeler_;
  std::vector<Bytes> parts_;
};

}  // namespace starling::sim
