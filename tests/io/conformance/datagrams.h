// The datagram half of the conformance suite; each kind of port instantiates it.
#pragma once

#include "tests/io/conformance/harness.h"

namespace starling::io {
class DatagramConformance : public Conformance {};
}  // namespace starling::io
