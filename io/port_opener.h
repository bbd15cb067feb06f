// PortOpener: whatever opens ports that belong together, such as those of one network in memory.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "io/port_options.h"
#include "io/ports.h"

namespace starling::io {

using PortOpener =
    std::function<std::expected<std::unique_ptr<Ports>, std::string>(const PortOptions&)>;

}  // namespace starling::io
