// A msgpack value as Go's %#v prints what its RPC client decoded: what `monitor` shows of events.
#pragma once

#include <string>

#include "wire/base/types.h"

namespace starling::agent::cli {

// One "<TAB>Key: value" line for each pair of a map, in the order received.
Decoded<std::string> format_event(Bytes value);

}  // namespace starling::agent::cli
