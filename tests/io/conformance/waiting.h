// Waiting and waking; each kind of port instantiates it.
#pragma once

#include "tests/io/conformance/harness.h"

namespace starling::io {
class WaitConformance : public Conformance {};
}  // namespace starling::io
